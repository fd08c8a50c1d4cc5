using System.Globalization;
using System.IO.Hashing;
using System.Text;
using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Visibility;

/// <summary>
/// What a reader may see of a room: the only way from records to readers. An event is visible if the history was world readable when it
/// happened, and is now. A snapshot: what was appended to the records later is in the next one.
/// </summary>
internal sealed class RoomVisibility
{
    /// <summary>The state event by which moderators keep a room off public pages.</summary>
    public const string RobotsType = "m.room.robots";

    public const string RobotsRefused = "refused";

    private readonly string _folder;
    private readonly HiddenEvents _hidden;
    private readonly RecordIds _ids;
    private readonly FactsIndex _past;
    private readonly FactsIndex _newest;
    private readonly SortedList<DateOnly, DayFacts> _days;
    private readonly VisibilityTimeline _timeline;
    private readonly bool _isRefused;
    private readonly Dictionary<string, RoomState> _states;
    private readonly Dictionary<DateOnly, VisibleLines> _counts = [];

    /// <param name="folder">The path of the room's folder.</param>
    /// <param name="links">The names of the links that lead to it.</param>
    /// <param name="past">All days but the newest.</param>
    /// <param name="file">What is kept of days that were removed; <c>null</c> if it can't be read.</param>
    /// <param name="known">The snapshot before this one.</param>
    public RoomVisibility(
        string folder, string roomId, IReadOnlyList<string> links, FactsIndex past, FactsIndex newest, RoomFile? file,
        HiddenEvents hidden, RecordIds ids, RoomVisibility? known)
    {
        _folder = folder;
        _hidden = hidden;
        _ids = ids;
        _past = past;
        _newest = newest;
        RoomId = roomId;
        Links = links;
        _days = new(past.Days.Concat(newest.Days).ToDictionary(day => day.Day));
        var kept = file?.Visibility.Where(change => !_days.ContainsKey(change.Day)).Select((change, index) => new VisibilityChange(
            new(change.Day, index), change.SentAt, change.ReceivedAt, change.IsFetched, change.IsWorldReadable));
        _timeline = new((kept ?? []).Concat(_days.Values.SelectMany(day => day.Changes)));
        _states = RoomState.InForce(_days.Values);
        // Also where the file can't be read: it may have the refusal of a day that was removed.
        _isRefused = _states.TryGetValue(RobotsType, out var robots) && !robots.IsReplacedBy(file)
            ? robots.Value == RobotsRefused
            : file?.IsRefused != false;
        if (_timeline.IsNow)
        {
            CountDays(known);
        }
    }

    public string RoomId { get; }

    /// <summary>The name of the room's folder.</summary>
    public string FolderName => Path.GetFileName(_folder);

    /// <summary>The names of the links to the room, which are those of its aliases.</summary>
    public IReadOnlyList<string> Links { get; }

    /// <summary>How the room is addressed: the name of its first link, or else its id.</summary>
    public string Address => Links.Count > 0 ? Links[0] : RoomId;

    /// <summary>The days with visible events, in order.</summary>
    public IReadOnlyList<DateOnly> Days { get; private set; } = [];

    /// <summary>The room's name now; <c>null</c> if it has none, or it was removed.</summary>
    public string? Name => Shown("m.room.name");

    public string? Topic => Shown("m.room.topic");

    /// <summary>The canonical alias, with its server.</summary>
    public string? CanonicalAlias => Shown("m.room.canonical_alias");

    /// <summary>When the last visible line of the newest visible day was received, in milliseconds since 1970.</summary>
    public long LastReceivedAt => Days.Count == 0 ? 0 : _counts[Days[^1]].LastReceivedAt;

    /// <summary>Whether a reader may see anything of the room.</summary>
    public bool MayRead(Reader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return _hidden.IsKnown && _timeline.IsNow && !_isRefused && !_hidden.HasRoom(RoomId);
    }

    /// <summary>
    /// Changes whenever what is shown of past days may have changed without a change of their files: removals, names, hidden events.
    /// </summary>
    public string Revision
    {
        get
        {
            var past = _past.Days.Select(day => $"{day.Day:yyyyMMdd} {day.Stamp}");
            var newest = _newest.Days.Select(day => $"{day.Day:yyyyMMdd} {day.Digest:x16}");
            return $"{string.Join('\n', past)} {string.Join('\n', newest)} {_hidden.Version} {Address}";
        }
    }

    /// <summary>How many events of a day are visible, stubs included.</summary>
    public int CountOf(DateOnly day) => _counts.GetValueOrDefault(day).Count;

    /// <summary>What is known of a day; <c>null</c> if the room has no such day. With an equal stamp nothing of it has changed.</summary>
    public DayFacts? FactsOf(DateOnly day) => _days.GetValueOrDefault(day);

    /// <summary>
    /// Changes whenever lines of a day that were shown may look otherwise without a new line that says so: after a removal, an erasure, or
    /// what an admin hides. The same in another process.
    /// </summary>
    public string StateOf(DateOnly day)
    {
        var removals = _days.Values.Sum(other => other.Removals.Length + other.RemovalsOfUsers.Length);
        var state = $"{removals} {FactsOf(day)?.Stamp.Inode} {_hidden.Version}";
        return XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(state)).ToString("x16", CultureInfo.InvariantCulture);
    }

    /// <summary>The events of a day that a reader may see, in the order of the record.</summary>
    /// <param name="from">The first line.</param>
    /// <param name="offset">Where it begins, if that is known.</param>
    /// <exception cref="FileChangedException">The record was replaced: the next snapshot has it.</exception>
    /// <exception cref="IOException">The record can't be read.</exception>
    public IEnumerable<VisibleEvent> Read(Reader reader, DateOnly day, int from = 0, long offset = 0)
    {
        if (!MayRead(reader) || !_days.TryGetValue(day, out var facts))
        {
            yield break;
        }

        foreach (var (e, position) in Lines(facts, from, offset))
        {
            if (IsVisible(e, position))
            {
                yield return Show(e, position);
            }
        }
    }

    /// <summary>An event that a reader may see; <c>null</c> if there is none.</summary>
    /// <exception cref="IOException">A record can't be read.</exception>
    public VisibleEvent? Find(Reader reader, string eventId) => MayRead(reader)
        ? Days.Reverse()
            .Where(day => FindIn(day, [eventId]).Count > 0)
            .SelectMany(day => Lines(_days[day], 0, 0, eventId))
            .Where(line => line.Event.EventId == eventId && IsVisible(line.Event, line.Position))
            .Select(line => Show(line.Event, line.Position))
            .FirstOrDefault()
        : null;

    /// <summary>Those of some events that a day's record may contain.</summary>
    public IReadOnlyList<string> FindIn(DateOnly day, IReadOnlyList<string> eventIds) =>
        KnownEvents.FindIn(_folder, day, eventIds) ?? [.. eventIds.Where(id => _ids.MayContain(RecordOf(day), _days[day], id))];

    /// <summary>Whether a reader may know of an event of which an index has these facts; what was removed passes.</summary>
    /// <param name="sentAt">In milliseconds since 1970.</param>
    public bool MayKnow(Reader reader, LogPosition position, long sentAt, bool isFetched, string sender) =>
        MayRead(reader) && IsListed(position) && !_hidden.HasUser(sender)
        && _timeline.IsWorldReadable(position, sentAt, isFetched);

    /// <summary>An event of a line, as the reader may see it; <c>null</c> if there is nothing to see.</summary>
    /// <param name="e">As it is in the record of which this is a snapshot (<see cref="FactsOf"/>).</param>
    public VisibleEvent? Show(Reader reader, RoomEvent e, LogPosition position) =>
        MayRead(reader) && IsListed(position) && IsVisible(e, position) ? Show(e, position) : null;

    /// <summary>The path of a day's record, without <c>.gz</c>.</summary>
    public string RecordOf(DateOnly day) => Path.Combine(_folder, DayFileName.Record(day).ToString());

    /// <summary>Why a reader sees only a stub of an event; <c>null</c> if its content is shown.</summary>
    public StubReason? StubOf(RoomEvent e, LogPosition position)
    {
        if (_hidden.Current.Hides(e))
        {
            return StubReason.Hidden;
        }

        return RemovalOf(e.EventId)
            ?? (IsRemovedWith(HashOf(e.Sender), position, e.OriginServerTs, e.FetchedTs is not null)
                ? StubReason.Removed
                : StubOfOriginal(e));
    }

    /// <summary>The display name that a user had at a line; <c>null</c> if none is known.</summary>
    public string? NameOf(string userId, LogPosition at)
    {
        if (_hidden.HasUser(userId))
        {
            return null;
        }

        var user = IdHash.Of(userId);
        return _newest.NamesOf(user, at).Concat(_past.NamesOf(user, at))
            .Where(found => !IsRemoved(found.Name.Event, user, found.Position))
            .Select(found => found.Name.Name)
            .FirstOrDefault();
    }

    private VisibleEvent Show(RoomEvent e, LogPosition position)
    {
        var isMember = e is { Type: "m.room.member", StateKey: not null };
        var previousName = isMember ? NameOf(e.StateKey!, position with { Line = position.Line - 1 }) : null;
        return VisibleEvent.Create(position, e, StubOf(e, position), previousName);
    }

    private IEnumerable<(RoomEvent Event, LogPosition Position)> Lines(DayFacts facts, int from = 0, long offset = 0, string text = "") =>
        RecordLines.Read(RecordOf(facts.Day), facts, from, offset, text.Length == 0 ? [] : [text]);

    /// <summary>It is a line that was read, and not one that no reader sees.</summary>
    private bool IsListed(LogPosition position) => _days.TryGetValue(position.Day, out var facts)
        && position.Line < facts.Lines
        && !facts.Withheld.Contains(position.Line);

    private bool IsVisible(RoomEvent e, LogPosition position) =>
        _timeline.IsWorldReadable(position, e.OriginServerTs ?? e.ReceivedTs ?? 0, e.FetchedTs is not null);

    /// <summary>An edit, and the end of a poll, repeat words of another event.</summary>
    private StubReason? StubOfOriginal(RoomEvent e)
    {
        var relation = e.Content["m.relates_to"u8];
        var isEdit = relation["rel_type"u8].IsString("m.replace"u8);
        if ((!isEdit && e.CanonicalType != "m.poll.end") || relation["event_id"u8].AsString() is not { } original)
        {
            return null;
        }

        // What was removed with its sender is not known by its id: no later edit of that sender is shown.
        return _hidden.HasEvent(original) ? StubReason.Hidden
            : RemovalOf(original) is { } reason ? reason
            : isEdit && HashOf(e.Sender) is { } sender && (_newest.HasRemovalOf(sender) || _past.HasRemovalOf(sender)) ? StubReason.Removed
            : null;
    }

    /// <summary>Why an event is removed; <c>null</c> if it is not, or only with all events of its sender.</summary>
    public StubReason? RemovalOf(string eventId) => RemovalOf(IdHash.Of(eventId));

    private StubReason? RemovalOf(IdHash e) => _newest.RemovalOf(e) ?? _past.RemovalOf(e);

    private bool IsRemovedWith(IdHash? sender, LogPosition position, long? sentAt, bool isFetched) => sender is { } user
        && (_newest.IsRemovedWithUser(user, position, sentAt, isFetched) || _past.IsRemovedWithUser(user, position, sentAt, isFetched));

    private bool IsRemoved(IdHash e, IdHash? sender, LogPosition position) =>
        _hidden.HasEvent(e) || RemovalOf(e) is not null || IsRemovedWith(sender, position, sentAt: null, isFetched: false);

    private static IdHash? HashOf(string? userId) => userId is null ? null : IdHash.Of(userId);

    /// <summary>State that is in force is public where the room is, whenever it was set.</summary>
    private string? Shown(string type) =>
        _states.TryGetValue(type, out var state) && state.Value is { Length: > 0 } value
        && !_hidden.HasUser(state.Sender)
        && !IsRemoved(IdHash.Of(state.EventId), HashOf(state.Sender), state.Position)
            ? value
            : null;

    private void CountDays(RoomVisibility? known)
    {
        var before = known?._timeline.HasSameChanges(_timeline) == true ? known : null;
        foreach (var (day, facts) in _days)
        {
            _counts[day] = Count(facts, before?.FactsOf(day), before?._counts.GetValueOrDefault(day) ?? default);
        }

        Days = [.. _days.Keys.Where(day => _counts[day].Count > 0)];
    }

    private VisibleLines Count(DayFacts facts, DayFacts? before, VisibleLines counted)
    {
        if (facts == before)
        {
            return counted;
        }

        if (_timeline.CountOf(facts) is { } count && (count == 0 || count == facts.Lines))
        {
            return new(count, count == 0 ? 0 : facts.LastReceivedAt);
        }

        var isAppended = before is not null && before.Stamp.Inode == facts.Stamp.Inode && before.Stamp.Length < facts.Stamp.Length;
        var added = isAppended ? Lines(facts, before!.Lines, before.Length) : Lines(facts);
        return added.Where(line => IsVisible(line.Event, line.Position)).Aggregate(
            isAppended ? counted : default,
            (sum, line) => new(sum.Count + 1, Math.Max(sum.LastReceivedAt, line.Event.ReceivedTs ?? 0)));
    }

    private readonly record struct VisibleLines(int Count, long LastReceivedAt);
}
