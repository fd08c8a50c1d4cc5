namespace LoggingService.Homeserver;

/// <summary>The check's name is stable, the reason a phrase, and the advice how to fix a failure: a sentence without its period.</summary>
internal sealed record CheckResult(string Check, string Target, CheckState State, string Reason, string Advice = "")
{
    public override string ToString() => Advice.Length == 0 ? $"{Check} {Target}: {Reason}" : $"{Check} {Target}: {Reason}. {Advice}.";
}

internal enum CheckState
{
    Ok,
    Failed,

    /// <summary>Not run, or without a conclusive response.</summary>
    Unknown,
}
