"""The inputs of a request, checked: a sentence for each mistake."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from geo_service.problems import Problem

AreaCode = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,40}$")]

Model = TypeVar("Model", bound=BaseModel)

_MISTAKES = {
    "missing": "没有给出",
    "extra_forbidden": "没有这个输入项",
    "literal_error": "不在可选值之中",
    "greater_than": "过小",
    "greater_than_equal": "过小",
    "less_than": "过大",
    "less_than_equal": "过大",
    "string_pattern_mismatch": "含有不可用的字符",
    "string_too_long": "过长",
    "too_short": "项数过少",
    "too_long": "项数过多",
    "date_from_datetime_parsing": "不是日期，应写作 2026-10-31",
    "date_parsing": "不是日期，应写作 2026-10-31",
    "date_type": "不是日期，应写作 2026-10-31",
}


def asked(model: type[Model], inputs: Any) -> Model:
    """Return the inputs of a request, checked; qualified values (``{"value": …}``) are unwrapped.

    Raises Problem 400 that names the first input that is wrong.
    """
    if not isinstance(inputs, dict):
        raise Problem(400, "inputs 应为一个对象。", "inputs must be an object, a member an input.")
    plain = {
        name: value["value"] if isinstance(value, dict) and set(value) & {"value"} else value
        for name, value in inputs.items()
    }
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "inputs"
        told = str(first["msg"])
        zh = _MISTAKES.get(first["type"], "不正确")
        if first["type"] == "value_error" and "|" in told:
            zh, told = told.removeprefix("Value error, ").split("|", 1)
        raise Problem(400, f"输入项 {name[:40]} {zh}。", f"Input {name[:40]}: {told}.") from None
