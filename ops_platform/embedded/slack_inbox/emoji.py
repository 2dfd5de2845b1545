"""The emoji by name that an operations message is likely to use."""

from types import MappingProxyType
from typing import Final

EMOJI: Final = MappingProxyType(
    {
        "arrows_counterclockwise": "🔄",
        "bar_chart": "📊",
        "bell": "🔔",
        "bust_in_silhouette": "👤",
        "chart_with_upwards_trend": "📈",
        "clipboard": "📋",
        "eyes": "👀",
        "fire": "🔥",
        "gear": "⚙️",
        "hourglass": "⌛",
        "hourglass_flowing_sand": "⏳",
        "information_source": "ℹ️",  # noqa: RUF001 - that is the emoji
        "link": "🔗",
        "mag": "🔍",
        "memo": "📝",
        "mute": "🔇",
        "no_bell": "🔕",
        "no_entry": "⛔",
        "octagonal_sign": "🛑",
        "large_green_circle": "🟢",
        "large_orange_circle": "🟠",
        "large_yellow_circle": "🟡",
        "red_circle": "🔴",
        "repeat": "🔁",
        "rocket": "🚀",
        "rotating_light": "🚨",
        "skull": "💀",
        "snail": "🐌",
        "sos": "🆘",
        "stopwatch": "⏱️",
        "tada": "🎉",
        "thinking_face": "🤔",
        "wastebasket": "🗑️",
        "warning": "⚠️",
        "white_check_mark": "✅",
        "wrench": "🔧",
        "x": "❌",
        "zap": "⚡",
    }
)
