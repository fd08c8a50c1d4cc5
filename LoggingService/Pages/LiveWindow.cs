using System.IO.Hashing;
using System.Text;
using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>
/// The last lines of a day, as they are shown: what changes of them is rendered once for all readers. Not safe for concurrent use.
/// </summary>
internal sealed class LiveWindow(Reader reader, DateOnly day, LiveRendering rendering)
{
    /// <summary>Lines of the record. Readers who are further behind load the page again.</summary>
    private const int MaxLines = 300;

    /// <summary>The ids of all events of the day.</summary>
    private readonly HashSet<ulong> _ids = [];

    private readonly Dictionary<string, string> _shown = [];
    private List<VisibleEvent> _events = [];
    private int _lines;
    private long _length;

    public LivePosition Position { get; private set; } = new(day, "", "");

    public DateOnly Day => day;

    /// <summary>
    /// Reads what was appended, and returns the lines that changed; <c>null</c> if earlier lines than those of the window may have changed.
    /// </summary>
    /// <exception cref="IOException">A record can't be read: the next call tries again.</exception>
    public async Task<List<LiveLine>?> AdvanceAsync(RoomVisibility room)
    {
        var (state, lines, before) = (room.StateOf(day), room.FactsOf(day)?.Lines ?? 0, _lines);
        if (state == Position.State && lines == before)
        {
            return [];
        }

        var isNew = _ids.Count == 0;
        var isAppended = !isNew && state == Position.State && lines >= before;
        // What was removed must not stay in memory either.
        List<VisibleEvent> events = isAppended ? [.. _events, .. Read(room, before, _length)]
            : isNew ? [.. Read(room, 0, 0).TakeLast(MaxLines)]
            : [.. Read(room, FirstLine, 0)];
        Predicate<VisibleEvent>? isChanged = isAppended ? e => e.Position.Line >= before : null;
        var rendered = await rendering.RenderAsync(room, reader, events, isChanged, IsOfDay);
        var isComplete = isNew || isAppended || FirstLine == 0 || HasAllRemoved(room, before, events);
        var last = events.Count == 0 ? "" : PageLinks.Anchor(events[^1].Event.EventId);
        (_events, Position, _lines, _length) = (events, new(day, last, state), lines, room.FactsOf(day)?.Length ?? 0);
        List<LiveLine> changed = [];
        foreach (var line in rendered)
        {
            if (_shown.GetValueOrDefault(line.EventId) != line.Html)
            {
                _shown[line.EventId] = line.Html;
                changed.Add(line with { IsNew = line.Line >= before });
            }
        }

        Trim();
        return isNew ? [] : isComplete ? changed : null;
    }

    /// <summary>
    /// What a reader lacks who has what was shown at a position; <c>null</c> if that is too much. It was rendered before: readers who
    /// connect again cost little.
    /// </summary>
    public List<LiveLine>? CatchUp(LivePosition from)
    {
        if (from == Position)
        {
            return [];
        }

        var last = _events.FindLastIndex(e => PageLinks.Anchor(e.Event.EventId) == from.Last);
        if (last < 0)
        {
            return null;
        }

        var line = _events[last].Position.Line;
        var changed = from.State == Position.State ? LiveRendering.FindLines(_events, e => e.Position.Line > line) : null;
        return
        [
            .. _events.Where(e => changed?.Contains(e.Event.EventId) != false && _shown.ContainsKey(e.Event.EventId))
                .Select(e => new LiveLine(e.Event.EventId, e.Position.Line, _shown[e.Event.EventId], IsNew: e.Position.Line > line)),
        ];
    }

    /// <summary>Whether all that new lines removed is in the window, and nothing else was.</summary>
    private bool HasAllRemoved(RoomVisibility room, int from, List<VisibleEvent> events)
    {
        if (room.FactsOf(day) is not { } facts || facts.RemovalsOfUsers.Any(removal => removal.Line >= from))
        {
            return false;
        }

        var shown = events.Select(e => IdHash.Of(e.Event.EventId)).ToHashSet();
        var removed = facts.Removals.Where(removal => removal.Line >= from).Select(removal => removal.Target).ToList();
        return removed.Count > 0 && removed.TrueForAll(shown.Contains);
    }

    private int FirstLine => _events.Count > 0 ? _events[0].Position.Line : 0;

    private IEnumerable<VisibleEvent> Read(RoomVisibility room, int from, long offset) =>
        room.Read(reader, day, from, offset).Select(e =>
        {
            _ids.Add(HashOf(e.Event.EventId));
            return e;
        });

    private bool IsOfDay(string eventId) => _ids.Contains(HashOf(eventId));

    private static ulong HashOf(string eventId) => XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(eventId));

    private void Trim()
    {
        if (_events.Count > 2 * MaxLines)
        {
            foreach (var e in _events.SkipLast(MaxLines))
            {
                _shown.Remove(e.Event.EventId);
            }

            _events.RemoveRange(0, _events.Count - MaxLines);
        }
    }
}

/// <param name="Line">The line of the event in the record.</param>
/// <param name="IsNew">The reader does not have it; otherwise it replaces what the reader has.</param>
internal sealed record LiveLine(string EventId, int Line, string Html, bool IsNew);
