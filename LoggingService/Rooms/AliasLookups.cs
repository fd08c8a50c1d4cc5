using LoggingService.Homeserver;

namespace LoggingService.Rooms;

/// <summary>
/// The aliases that are being resolved. The homeserver queries us for an alias that does not exist before it responds: our own lookup
/// must not create a room, and a user's query at the same time must.
/// </summary>
internal sealed class AliasLookups(HomeserverClient homeserver, TimeProvider time)
{
    /// <summary>How long a query is held to see whether it is the only one: that of our lookup.</summary>
    private static readonly TimeSpan HoldTime = TimeSpan.FromSeconds(0.5);

    private readonly Lock _lock = new();
    private readonly Dictionary<RoomAlias, Lookup> _lookups = [];

    /// <summary>Returns the room of an alias, or <c>null</c>.</summary>
    /// <exception cref="HomeserverException">The homeserver cannot be queried.</exception>
    public async Task<string?> ResolveAsync(RoomAlias alias, CancellationToken cancellation)
    {
        Lookup? lookup;
        lock (_lock)
        {
            if (!_lookups.TryGetValue(alias, out lookup))
            {
                _lookups[alias] = lookup = new();
            }

            lookup.Running++;
        }

        try
        {
            return await homeserver.ResolveAliasAsync(alias, cancellation);
        }
        finally
        {
            lock (_lock)
            {
                lookup.Running--;
                if (lookup.Running == 0)
                {
                    // A query that is still held is not ours.
                    _lookups.Remove(alias);
                    lookup.HasOtherQuery.TrySetResult();
                }
            }
        }
    }

    /// <summary>
    /// Whether a query of the homeserver is caused by a user, as far as can be told. Each lookup causes one query at a time: of several,
    /// at least one is a user's, and the alias is created for all.
    /// </summary>
    public async Task<bool> IsUsersQueryAsync(RoomAlias alias)
    {
        Lookup? lookup;
        lock (_lock)
        {
            if (!_lookups.TryGetValue(alias, out lookup))
            {
                return true;
            }

            lookup.Held++;
            if (lookup.Held > lookup.Running)
            {
                lookup.HasOtherQuery.TrySetResult();
            }
        }

        try
        {
            await lookup.HasOtherQuery.Task.WaitAsync(HoldTime, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            lock (_lock)
            {
                lookup.Held--;
            }
        }
    }

    private sealed class Lookup
    {
        public int Running { get; set; }

        public int Held { get; set; }

        public TaskCompletionSource HasOtherQuery { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
