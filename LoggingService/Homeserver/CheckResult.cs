namespace LoggingService.Homeserver;

/// <summary>
/// The result of one check of <see cref="ConnectionCheck"/>: its stable name, the address or file that was checked, the outcome
/// with its reason (a phrase), and how to fix a failure (a sentence without its period).
/// </summary>
internal sealed record CheckResult(string Check, string Target, CheckState State, string Reason, string Advice = "")
{
    /// <summary>For the command <c>check</c>.</summary>
    public override string ToString() => Advice.Length == 0 ? $"{Check} {Target}: {Reason}" : $"{Check} {Target}: {Reason}. {Advice}.";
}

internal enum CheckState
{
    Ok,
    Failed,

    /// <summary>Not run, or without a conclusive response.</summary>
    Unknown,
}
