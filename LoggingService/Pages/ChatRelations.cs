using LoggingService.Rendering;
using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>The visible events of a day, and what belongs to each of them: edits, reactions, votes, the messages of its thread.</summary>
internal sealed class ChatRelations
{
    /// <summary>So many messages of a thread are shown at its first one; the others are lines of the day.</summary>
    private const int MaxThread = 100;

    private readonly Dictionary<string, VisibleEvent> _events = [];
    private readonly Dictionary<string, List<VisibleEvent>> _edits = [];
    private readonly Dictionary<string, List<VisibleEvent>> _reactions = [];
    private readonly Dictionary<string, List<VisibleEvent>> _votes = [];
    private readonly Dictionary<string, VisibleEvent> _pollEnds = [];
    private readonly Dictionary<string, List<VisibleEvent>> _threads = [];
    private readonly HashSet<string> _longThreads = [];
    private readonly Dictionary<string, RoomEvent> _redactions = [];

    /// <param name="day">The events of the day.</param>
    /// <param name="later">Events of later days that belong to some of this day.</param>
    public ChatRelations(IReadOnlyList<VisibleEvent> day, IEnumerable<VisibleEvent> later)
    {
        foreach (var e in day)
        {
            _events.TryAdd(e.Event.EventId, e);
        }

        var lines = new List<VisibleEvent>(day.Count);
        foreach (var e in day)
        {
            if (!IsPartOfAnother(e))
            {
                lines.Add(e);
            }
        }

        // The messages of a thread are read on their own day.
        foreach (var e in later)
        {
            IsPartOfAnother(e);
        }

        Lines = lines;
    }

    /// <summary>The events that have a line of their own.</summary>
    public IReadOnlyList<VisibleEvent> Lines { get; }

    public VisibleEvent? Find(string eventId) => _events.GetValueOrDefault(eventId);

    public IReadOnlyList<VisibleEvent> EditsOf(string eventId) => _edits.GetValueOrDefault(eventId) ?? [];

    public IReadOnlyList<VisibleEvent> ReactionsTo(string eventId) => _reactions.GetValueOrDefault(eventId) ?? [];

    public IReadOnlyList<VisibleEvent> VotesIn(string pollId) => _votes.GetValueOrDefault(pollId) ?? [];

    public VisibleEvent? EndOf(string pollId) => _pollEnds.GetValueOrDefault(pollId);

    public IReadOnlyList<VisibleEvent> ThreadOf(string rootId) => _threads.GetValueOrDefault(rootId) ?? [];

    /// <summary>Whether messages of a thread are lines of the day.</summary>
    public bool IsLongThread(string rootId) => _longThreads.Contains(rootId);

    /// <summary>The message that an event edits, which an answer to the edit means; the id itself if the event is no edit.</summary>
    public string OriginalOf(string eventId) =>
        Find(eventId) is { Original: { } id } edit && Find(id) is { } original && original.Event.Sender == edit.Event.Sender
            ? id
            : eventId;

    public RoomEvent? RedactionOf(string eventId) => _redactions.GetValueOrDefault(eventId);

    /// <summary>The event in whose line an event is shown; itself if it has a line of its own.</summary>
    public string LineOf(string eventId)
    {
        for (var depth = 0; depth < 10 && Find(eventId) is { } e; depth++)
        {
            var target = e.Original ?? RelationOf(e).Target;
            if (target is null || !_events.ContainsKey(target) || Lines.Contains(e))
            {
                break;
            }

            eventId = target;
        }

        return eventId;
    }

    /// <summary>The event at which a reaction, a vote, the end of a poll or a redaction is shown; <c>null</c> for others.</summary>
    public static string? TargetOf(VisibleEvent e) =>
        e.Event.CanonicalType is "m.reaction" or "m.poll.response" or "m.poll.end" or "m.room.redaction" ? RelationOf(e).Target : null;

    public static (string? Type, string? Target) RelationOf(VisibleEvent e)
    {
        if (e.Event.Type == "m.room.redaction")
        {
            return ("redaction", RedactionTarget.Read(e.Event.Json)?.ToString());
        }

        var relation = e.Event.Content["m.relates_to"u8];
        return (relation["rel_type"u8].AsString(), relation["event_id"u8].AsString());
    }

    /// <summary>Adds the event to the one to which it belongs; false if it has a line of its own.</summary>
    private bool IsPartOfAnother(VisibleEvent e)
    {
        if (e.Stub is not null)
        {
            // What is left of a reaction, a vote, or an edit tells nothing.
            return e.Original is not null || e.Event.CanonicalType is "m.reaction" or "m.poll.response" or "m.poll.end";
        }

        if (e.Event.StateKey is not null || RelationOf(e) is not { Target: { } named } relation)
        {
            return false;
        }

        var target = relation.Type is "m.thread" or "m.annotation" ? OriginalOf(named) : named;
        if (Find(target) is not { } found)
        {
            return false;
        }

        switch (relation.Type, e.Event.CanonicalType)
        {
            case ("redaction", _):
                _redactions.TryAdd(target, e.Event);
                return true;
            case ("m.replace", _) when found.Stub is null && Relation.IsValidEdit(e.Event, found.Event):
                return Add(_edits, target, e);
            case ("m.annotation", "m.reaction"):
                return Add(_reactions, target, e);
            case (_, "m.poll.response") when found.Event.CanonicalType == "m.poll.start":
                return Add(_votes, target, e);
            case (_, "m.poll.end") when found.Event.CanonicalType == "m.poll.start" && found.Event.Sender == e.Event.Sender:
                _pollEnds.TryAdd(target, e);
                return true;
            case ("m.thread", _) when found.Event.StateKey is null && RelationOf(found).Type != "m.thread":
                if (ThreadOf(target).Count < MaxThread)
                {
                    return Add(_threads, target, e);
                }

                _longThreads.Add(target);
                return false;
            default:
                return false;
        }
    }

    private static bool Add(Dictionary<string, List<VisibleEvent>> lists, string target, VisibleEvent e)
    {
        if (!lists.TryGetValue(target, out var list))
        {
            lists.Add(target, list = []);
        }

        list.Add(e);
        return true;
    }
}
