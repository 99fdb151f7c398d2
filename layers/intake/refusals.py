"""What the database says when it refuses rows, in words a clerk understands."""

import psycopg
from psycopg import errors

from layers.intake.report import Words

# The last part of a constraint's name, or its whole name, in words.
_CONSTRAINTS = (
    ("coverage_overlap", "网格与现行网格重叠", "A grid overlaps a grid in force"),
    ("coverage_gap", "网格之间会留下空隙", "The grids would leave a gap"),
    ("_geom_valid", "有几何无效", "A geometry is invalid"),
    ("_geom_empty", "有几何为空", "A geometry is empty"),
    ("_geom_range", "有坐标超出范围", "A coordinate is out of range"),
    ("_geom_lattice", "有坐标未取整到 1e-8 度", "A coordinate is not on the 1e-8 degree lattice"),
    ("_dates", "有日期早于事件发生的日期", "A date lies before the event"),
    ("_level_of_code", "区域级别与编码位数不符", "A level does not fit the length of its code"),
    ("_code_version", "编码属于已失效的网格版本", "A code belongs to a past version of a grid"),
    (
        "_code_in_force",
        "编码刚被他人占用，请重试",
        "A code was just taken by someone else; try again",
    ),
    ("_code", "编码不合规则或已被占用", "A code breaks the rules or is taken"),
    ("_parent", "上级区域不存在或不符", "A parent area is missing or does not fit"),
)
_ERRORS: tuple[tuple[type[psycopg.Error], str, str], ...] = (
    (errors.InsufficientPrivilege, "没有写入该图层或该区域的权限", "You may not write here"),
    (errors.QueryCanceled, "导入超时或被取消", "The import took too long or was cancelled"),
    (errors.DeadlockDetected, "与其他操作冲突，请重试", "Something else was in the way; try again"),
    (
        errors.SerializationFailure,
        "与其他操作冲突，请重试",
        "Something else was in the way; try again",
    ),
    (errors.OperationalError, "数据库连接中断", "The connection to the database was lost"),
)


LOADING = Words("文件未导入", "the file was not imported")
UNDOING = Words("没有撤销", "nothing was undone")


def sentence(error: psycopg.Error, outcome: Words = LOADING) -> Words:
    """Put a refusal of the database in words; nothing of the row itself is repeated.

    ``outcome`` ends the sentence: what was not done.
    """
    constraint = error.diag.constraint_name or ""
    for ending, zh, en in _CONSTRAINTS:
        if constraint.endswith(ending):
            where = f"（{error.diag.message_primary}）" if constraint.startswith("coverage") else ""
            return Words(f"{zh}{where}，{outcome.zh}。", f"{en}{where}; {outcome.en}.")
    for kind, zh, en in _ERRORS:
        if isinstance(error, kind):
            return Words(f"{zh}，{outcome.zh}。", f"{en}; {outcome.en}.")
    rule = constraint or error.diag.column_name or error.sqlstate or "?"
    return Words(
        f"数据库拒绝了这些数据（规则 {rule}），{outcome.zh}。",
        f"The database refused the data (rule {rule}); {outcome.en}.",
    )
