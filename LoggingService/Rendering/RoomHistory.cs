namespace LoggingService.Rendering;

/// <summary>The room's record as it stands before an event: what is not in it, or too far back, is not found.</summary>
internal abstract class RoomHistory
{
    public abstract RoomEvent? FindEvent(string id);

    /// <summary>The newest state event of a type and state key.</summary>
    public abstract RoomEvent? FindState(string type, string stateKey);

    /// <summary>The newest event of the same type, sender and sticky key as a sticky event. (MSC4354.)</summary>
    public abstract RoomEvent? FindSticky(RoomEvent sticky, string key);

    /// <summary>
    /// Whether an event was redacted, which need not be in the record; of a user id, whether all events of the user before some event were.
    /// (MSC4293.)
    /// </summary>
    public abstract bool IsRemoved(string id);

    /// <summary>Whether an event of the record was redacted, also with all of its sender's at once. (MSC4293.)</summary>
    public abstract bool IsRemoved(RoomEvent earlier);

    /// <summary>The edits of an event by its sender, newest first, valid or not.</summary>
    public abstract IEnumerable<RoomEvent> Edits(RoomEvent earlier);

    /// <summary>Whether an event's sender sent another event of some kind in the same second.</summary>
    /// <param name="earlier">An event of the record.</param>
    /// <param name="isAlike">Must not keep the event that it gets.</param>
    public abstract bool HasInSameSecond(RoomEvent earlier, Predicate<RoomEvent> isAlike);
}
