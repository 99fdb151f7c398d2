"""Code lists: every value that a coded column may hold, with its Chinese and English name.

The lists are held twice on purpose: here, for people and forms, and as CHECK constraints in the
database, for whatever else writes to it. ``tests/layers/test_schema.py`` keeps the two equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One allowed value of a coded column.

    ``color`` is a CSS colour where the value is drawn in one of its own, else None.
    """

    code: str
    zh: str
    en: str
    color: str | None = None


@dataclass(frozen=True, slots=True)
class CodeList:
    """An ordered list of allowed values.

    >>> CAMERA_STATUS["online"].zh
    '在线'
    >>> "broken" in CAMERA_STATUS
    False
    """

    name: str
    codes: tuple[Code, ...]

    def __iter__(self) -> Iterator[Code]:
        return iter(self.codes)

    def __contains__(self, code: object) -> bool:
        return any(item.code == code for item in self.codes)

    def __getitem__(self, code: str) -> Code:
        for item in self.codes:
            if item.code == code:
                return item
        raise KeyError(code)

    @property
    def values(self) -> tuple[str, ...]:
        """The codes alone, in order."""
        return tuple(item.code for item in self.codes)


MADE_UP = "99"
"""Province digits that no real place has: area codes that begin so belong to made-up towns."""

AREA_LEVEL = CodeList(
    "area_level",
    (
        Code("county", "区县", "County"),
        Code("town", "乡镇/街道", "Town"),
        Code("community", "社区/村", "Community"),
    ),
)

GRID_KIND = CodeList(
    "grid_kind",
    (
        Code("basic", "基础网格", "Basic grid"),
        Code("special", "专属网格", "Special grid"),
    ),
)

BUILDING_USE = CodeList(
    "building_use",
    (
        Code("residential", "住宅", "Residential"),
        Code("commercial", "商业", "Commercial"),
        Code("office", "办公", "Office"),
        Code("public", "公共服务", "Public"),
        Code("industrial", "工业", "Industrial"),
        Code("other", "其他", "Other"),
    ),
)

PLACE_KIND = CodeList(
    "place_kind",
    (
        Code("school", "学校", "School", "#2f6fb0"),
        Code("hospital", "医院", "Hospital", "#b8434e"),
        Code("market", "市场", "Market", "#b7791f"),
        Code("scenic", "景点公园", "Scenic spot or park", "#3f8f5f"),
        Code("construction", "建筑工地", "Construction site", "#8a6d3b"),
        Code("mediation", "调解中心", "Mediation centre", "#7a4fa3"),
        Code("station", "车站", "Station", "#456b7a"),
        Code("shelter", "应急避难场所", "Emergency shelter", "#2a8c82"),
        Code("other", "其他", "Other", "#68727d"),
    ),
)

ROAD_CLASS = CodeList(
    "road_class",
    (
        Code("trunk", "干线公路", "Trunk road"),
        Code("primary", "主干路", "Primary road"),
        Code("secondary", "次干路", "Secondary road"),
        Code("local", "支路", "Local road"),
        Code("path", "小路", "Path"),
    ),
)

# Public-security practice sorts cameras by who builds and minds them.
CAMERA_CLASS = CodeList(
    "camera_class",
    (
        Code("1", "一类（公安建设）", "Class 1 (police)"),
        Code("2", "二类（部门单位建设）", "Class 2 (departments)"),
        Code("3", "三类（社会建设）", "Class 3 (premises)"),
    ),
)

CAMERA_FORM = CodeList(
    "camera_form",
    (
        Code("bullet", "枪机", "Bullet"),
        Code("dome", "半球", "Dome"),
        Code("ptz", "球机（云台）", "PTZ"),
        Code("panoramic", "全景", "Panoramic"),
    ),
)

CAMERA_STATUS = CodeList(
    "camera_status",
    (
        Code("online", "在线", "Online", "#2f8f5b"),
        Code("offline", "离线", "Offline", "#8b95a1"),
        Code("fault", "故障", "Fault", "#d0453e"),
    ),
)

# Places that the Regulation on public-security video systems (State Council Order 799) names.
PRIVACY_KIND = CodeList(
    "privacy_kind",
    (
        Code("dwelling", "住宅居室", "Dwelling"),
        Code("dormitory", "宿舍", "Dormitory"),
        Code("guest_room", "旅馆客房", "Guest room"),
        Code("changing_room", "更衣室、浴室", "Changing room or bath"),
        Code("washroom", "卫生间", "Washroom"),
        Code("nursing", "哺乳室", "Nursing room"),
        Code("ward", "病房", "Hospital ward"),
        Code("other", "其他", "Other"),
    ),
)

HAZARD_CATEGORY = CodeList(
    "hazard_category",
    (
        Code("geological", "地质灾害", "Geological"),
        Code("fire", "消防", "Fire"),
        Code("gas", "燃气", "Gas"),
        Code("chemical", "危化品", "Chemical"),
        Code("traffic", "交通", "Traffic"),
        Code("building", "房屋建筑", "Building"),
        Code("water", "水域", "Water"),
        Code("other", "其他", "Other"),
    ),
)

HAZARD_STATUS = CodeList(
    "hazard_status",
    (
        Code("found", "已发现", "Found", "#c0362c"),
        Code("assigned", "已派单", "Assigned", "#d9822b"),
        Code("rectifying", "整改中", "Rectifying", "#c9a227"),
        Code("rectified", "已整改", "Rectified", "#5b9a6f"),
        Code("verified", "已核查", "Verified", "#8b95a1"),
    ),
)

HAZARD_SOURCE = CodeList(
    "hazard_source",
    (
        Code("patrol", "网格巡查", "Grid patrol"),
        Code("hotline", "热线转办", "Hotline"),
        Code("inspection", "专项检查", "Inspection"),
        Code("sensor", "物联感知", "Sensor"),
        Code("other", "其他", "Other"),
    ),
)

DISPUTE_CATEGORY = CodeList(
    "dispute_category",
    (
        Code("family", "婚姻家庭", "Family"),
        Code("neighbour", "邻里纠纷", "Neighbours"),
        Code("property", "物业管理", "Property management"),
        Code("land", "土地宅基地", "Land and homestead"),
        Code("labour", "劳动争议", "Labour"),
        Code("contract", "合同债务", "Contract and debt"),
        Code("consumer", "消费纠纷", "Consumer"),
        Code("medical", "医疗纠纷", "Medical"),
        Code("traffic", "交通事故", "Traffic accident"),
        Code("environment", "环境噪声", "Environment and noise"),
        Code("other", "其他", "Other"),
    ),
)

DISPUTE_SCALE = CodeList(
    "dispute_scale",
    (
        Code("01", "个体", "Individual"),
        Code("02", "一般群体", "Group"),
        Code("03", "重大群体", "Major group"),
    ),
)

DISPUTE_CHANNEL = CodeList(
    "dispute_channel",
    (
        Code("grid", "网格上报", "Grid staff"),
        Code("hotline", "热线", "Hotline"),
        Code("window", "窗口登记", "Service window"),
        Code("transfer", "部门移交", "Transferred"),
        Code("online", "网上登记", "Online"),
        Code("other", "其他", "Other"),
    ),
)

DISPUTE_STATUS = CodeList(
    "dispute_status",
    (
        Code("registered", "已登记", "Registered", "#c0362c"),
        Code("accepted", "已受理", "Accepted", "#d9822b"),
        Code("mediating", "调解中", "Mediating", "#c9a227"),
        Code("resolved", "已化解", "Resolved", "#5b9a6f"),
        Code("closed", "已结案", "Closed", "#8b95a1"),
        Code("escalated", "已上报", "Escalated", "#7a2f8f"),
    ),
)

LEVEL = CodeList(
    "level",
    (
        Code("1", "一般", "General"),
        Code("2", "较大", "Considerable"),
        Code("3", "重大", "Major"),
        Code("4", "特别重大", "Extreme"),
    ),
)

ALERT_STATE = CodeList(
    "alert_state",
    (
        Code("open", "未确认", "Open", "#c0362c"),
        Code("acknowledged", "已确认", "Acknowledged", "#d9822b"),
        Code("closed", "已关闭", "Closed", "#8b95a1"),
    ),
)
