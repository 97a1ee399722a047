"""
The counts of the answers to lines that were sent as datagrams.
"""

from __future__ import annotations

from dataclasses import dataclass

from echod.client.exitstatus import ALL, SILENT, SOME, WRONG, Outcome

NOT_RUNNING = "[!] Server not running: "


@dataclass
class Answers:
    """
    The answers to the lines.

    @ivar sent: How many were sent.

    @ivar answered: How many came back in time.

    @ivar late: How many came back after the timeout.

    @ivar shortened: How many came back with bytes missing at the end.

    @ivar repeated: How many answers came again.

    @ivar wrong: How many answers came that equal no line.

    @ivar lost: How many lines did not come back.
    """

    sent: int = 0
    answered: int = 0
    late: int = 0
    shortened: int = 0
    repeated: int = 0
    wrong: int = 0
    lost: int = 0

    def outcome(self, patience: float) -> Outcome:
        """
        @param patience: How long the client has waited for each answer, in seconds.

        @return: The outcome of a conversation.
        """
        if self.sent and self.lost == self.sent:
            return Outcome(
                SILENT,
                f"{NOT_RUNNING}no answer within {patience:g} s; it is down, or something "
                "drops it",
            )
        lines = "1 line" if self.sent == 1 else f"{self.sent} lines"
        parts = [f"{lines} sent, {self.answered} came back"]
        for name in ("late", "shortened", "repeated", "wrong", "lost"):
            if count := getattr(self, name):
                parts.append(f"{count} {name}")
        if self.repeated or self.wrong:
            status = WRONG
        else:
            status = SOME if self.lost or self.late or self.shortened else ALL
        return Outcome(status, ", ".join(parts) if len(parts) > 1 else "")
