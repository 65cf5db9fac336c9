"""The closed lists that a complaint is filled in from: channel, category, outcome, root cause; Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from rules.model import CATEGORIES, Group

Labels = Mapping[str, tuple[str, str]]

CHANNELS: Labels = MappingProxyType({
    "12378": ("12378 金融消费者热线", "12378 finance hotline"),
    "12345": ("12345 政务热线", "12345 government hotline"),
    "hotline": ("客服热线", "Own hotline"),
    "app": ("APP 或网站", "App or website"),
    "media": ("媒体或网络平台", "Media or web platform"),
    "court": ("法院或诉讼", "Court"),
})  # fmt: skip

# What rules can find keeps the rules' own names, so that a complaint and a finding can be laid side by side.
CATEGORIES_OF_COMPLAINTS: Labels = MappingProxyType(
    {name: (zh, en) for name, (group, zh, en) in CATEGORIES.items() if group in (Group.CONDUCT, Group.CONTACT)}
    | {
        "dispute": ("债务或金额异议", "Debt or amount disputed"),
        "credit_record": ("征信异议", "Credit record disputed"),
        "service": ("服务态度", "Service and tone"),
        "other": ("其他", "Other"),
    }
)
CAUSES: Labels = MappingProxyType({
    "conduct": ("催收员行为不当", "Collector's conduct"),
    "script": ("话术或流程缺陷", "Script or process"),
    "dialling": ("拨打安排不当", "Dialling plan"),
    "wrong_data": ("客户信息或账务差错", "Wrong customer or account data"),
    "privacy": ("个人信息管理不当", "Handling of personal data"),
    "terms": ("产品或费用条款争议", "Product or fee terms"),
    "system": ("系统故障", "System fault"),
    "unfounded": ("诉求与事实不符", "Claim not borne out"),
})  # fmt: skip


class Outcome(StrEnum):
    """What the investigation found; partly upheld counts against a collector like upheld."""

    UPHELD = "upheld"
    PARTIAL = "partial"
    REJECTED = "rejected"

    @property
    def label(self) -> str:
        """As complaint desks say it."""
        return {"upheld": "属实", "partial": "部分属实", "rejected": "不属实"}[self.value]

    @property
    def founded(self) -> bool:
        """Whether there was something in it."""
        return self is not Outcome.REJECTED


def key_of(text: str, labels: Labels) -> str:
    """The key that a code, or a label in either language, stands for; KeyError where none does."""
    wanted = text.strip().casefold()
    for key, (zh, en) in labels.items():
        if wanted in (key, zh.casefold(), en.casefold()):
            return key
    raise KeyError(text)
