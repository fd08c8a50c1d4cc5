namespace LoggingService.Homeserver;

/// <summary>Whether the homeserver answers the calls of the service. Safe for concurrent use.</summary>
internal sealed class HomeserverContact(TimeProvider time)
{
    private readonly Lock _lock = new();
    private volatile Outcome? _last;
    private volatile Outcome? _lastSuccess;
    private DateTimeOffset? _lostSince;

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
    /// <param name="isSlow">The call may take so long that it, or a proxy, times out.</param>
    public void Note(HomeserverException e, bool isSlow = false)
    {
        // Not where the homeserver itself answers: a proxy's answer has no errcode.
        if (isSlow ? e is { Status: null, IsTimeout: false } : e is { Status: null } or { Status: >= 500, Errcode: null })
        {
            lock (_lock)
            {
                _lostSince ??= AnsweredAt ?? time.GetUtcNow();
            }
        }

        Note(e.Status is null or >= 500 or 401 || e.RedirectedTo is not null ? e.Response : null);
    }

    /// <summary>
    /// Since when the homeserver may not have run, if a call did not reach it since this was last called; <c>null</c> otherwise.
    /// </summary>
    public DateTimeOffset? TakeLoss()
    {
        lock (_lock)
        {
            var since = _lostSince;
            _lostSince = null;
            return since;
        }
    }

    private sealed record Outcome(DateTimeOffset At, string? Error);
}
