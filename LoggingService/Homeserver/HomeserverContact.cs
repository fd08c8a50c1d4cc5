namespace LoggingService.Homeserver;

/// <summary>Whether the homeserver answers the calls of the service. Safe for concurrent use.</summary>
internal sealed class HomeserverContact(TimeProvider time)
{
    private volatile Outcome? _last;
    private volatile Outcome? _lastSuccess;

    /// <summary>When the homeserver last answered; <c>null</c> if it has not yet.</summary>
    public DateTimeOffset? AnsweredAt => _lastSuccess?.At;

    /// <summary>Why the last call failed, without the call itself, which may name a room; <c>null</c> if it did not.</summary>
    public string? Error => _last?.Error;

    /// <summary>Notes the outcome of a call that was sent with the token.</summary>
    /// <param name="error"><c>null</c> if the homeserver answered.</param>
    public void Note(string? error)
    {
        var outcome = new Outcome(time.GetUtcNow(), error);
        _last = outcome;
        if (error is null)
        {
            _lastSuccess = outcome;
        }
    }

    /// <summary>Notes a failed call: the homeserver may have answered it, for example that there is no such alias.</summary>
    public void Note(HomeserverException e) => Note(e.Status is null or >= 500 or 401 || e.RedirectedTo is not null ? e.Response : null);

    private sealed record Outcome(DateTimeOffset At, string? Error);
}
