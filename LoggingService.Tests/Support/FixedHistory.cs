using LoggingService.Events;
using LoggingService.Rendering;

namespace LoggingService.Tests.Support;

/// <summary>A history that finds an event for any id; each event is its own edit.</summary>
internal sealed class FixedHistory(Func<string, RoomEvent?> findEvent, Func<string, string, RoomEvent?> findState) : RoomHistory
{
    public override RoomEvent? FindEvent(string id) => findEvent(id);

    public override RoomEvent? FindState(string type, string stateKey) => findState(type, stateKey);

    public override RoomEvent? FindSticky(RoomEvent sticky, string key) => findEvent(sticky.EventId);

    public override bool IsRemoved(string id) => false;

    public override bool IsRemoved(RoomEvent earlier) => false;

    public override IEnumerable<RoomEvent> Edits(RoomEvent earlier) => [earlier];

    public override bool HasInSameSecond(RoomEvent earlier, Predicate<RoomEvent> isAlike) => false;
}
