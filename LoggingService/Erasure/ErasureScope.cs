namespace LoggingService.Erasure;

/// <summary>Which events of a room are erased directly.</summary>
/// <param name="Events">By id: the redaction that removes it, <c>null</c> if none does.</param>
/// <param name="Users">By id: the ban that removes all events before it, <c>null</c> for all events.</param>
/// <param name="Pseudonym">In place of the id of <paramref name="User"/>.</param>
/// <param name="IsResumed">Lines that are stubs already count, too: their text may be the old one.</param>
internal sealed record ErasureScope(
    IReadOnlyDictionary<string, string?> Events,
    IReadOnlyDictionary<string, RedactingBan?> Users,
    string? User = null,
    string? Pseudonym = null,
    bool IsResumed = false)
{
    public static ErasureScope Of(ErasureRequest request)
    {
        var users = new Dictionary<string, RedactingBan?>();
        if (request.User is { } user)
        {
            users[user] = null;
            if (request.Pseudonym is { } pseudonym)
            {
                users[pseudonym] = null;
            }
        }

        return new(
            request.EventId is { } id ? new Dictionary<string, string?> { [id] = null } : new Dictionary<string, string?>(),
            users, request.User, request.Pseudonym, request.IsResumed);
    }
}

/// <summary>A membership with which all earlier events of a user are removed.</summary>
/// <param name="OriginServerTs">In milliseconds since 1970; <c>null</c> if the event has none.</param>
/// <param name="IsFetched">Its place in the log does not tell what is earlier.</param>
internal sealed record RedactingBan(string EventId, long? OriginServerTs, bool IsFetched);
