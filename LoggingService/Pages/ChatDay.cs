using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>One page of a day: its lines as a reader sees them.</summary>
internal sealed record ChatDay(IReadOnlyList<ChatItem> Items, int Page, int Pages)
{
    public const int LinesPerPage = 300;

    /// <summary>So many servers are named in links to a room whose own id and alias name none.</summary>
    private const int MaxServers = 3;

    /// <summary>Fewer changes of members than this are not folded.</summary>
    private const int MinFold = 3;

    /// <summary>The last event of the day, on whatever page (<see cref="PageLinks.Anchor"/>).</summary>
    public string Last { get; init; } = "";

    /// <summary>The servers of those who sent most events of the day.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <param name="page">From 1; beyond the last page it is empty.</param>
    /// <exception cref="IOException">A record can't be read.</exception>
    public static ChatDay Read(RoomVisibility room, Reader reader, DateOnly day, int page, TimeZoneInfo zone, Text text) =>
        ReadFrom(page, room, reader, day, zone, text).First();

    /// <summary>All pages of a day, which is read once; each page is made when it is asked for.</summary>
    /// <exception cref="IOException">A record can't be read.</exception>
    public static IEnumerable<ChatDay> ReadAll(RoomVisibility room, Reader reader, DateOnly day, TimeZoneInfo zone, Text text) =>
        ReadFrom(1, room, reader, day, zone, text);

    private static IEnumerable<ChatDay> ReadFrom(
        int first, RoomVisibility room, Reader reader, DateOnly day, TimeZoneInfo zone, Text text)
    {
        var events = room.Read(reader, day).ToList();
        var relations = new ChatRelations(events, LaterEvents.Read(room, reader, day, events));
        var last = events.Count == 0 ? "" : PageLinks.Anchor(events[^1].Event.EventId);
        var servers = ServersOf(events);
        var pages = CountPages(relations);
        var history = new DayHistory(room);
        var sentences = new EventText(history, zone);
        var next = 0;
        for (var page = first; page <= Math.Max(first, pages); page++)
        {
            var messages = new ChatMessages(room, relations, new EventLookup(room, reader, day), zone, text);
            var shown = relations.Lines.Skip((page - 1) * LinesPerPage).Take(LinesPerPage).ToList();
            messages.LoadAnswered(shown);
            var lines = shown.ToHashSet(ReferenceEqualityComparer.Instance);
            var items = new List<ChatItem>();
            for (; items.Count < lines.Count; next++)
            {
                var e = events[next];
                if (lines.Contains(e))
                {
                    items.Add(ChatMessages.IsMessage(e) || e.Stub is not null
                        ? messages.Create(e)
                        : new ChatSentence(e.Event.EventId, messages.TimeOf(e), sentences.Sentence(e))
                        {
                            IsMember = e.Event.Type == "m.room.member",
                            IsNote = e.Event.IsNote,
                        });
                }

                history.Add(e);
            }

            yield return new(Fold(items), page, pages) { Last = last, Servers = servers };
        }
    }

    public static IReadOnlyList<string> ServersOf(IEnumerable<VisibleEvent> events) =>
    [
        .. events.Select(e => e.Event.Sender ?? "")
            .Where(id => id.Contains(':', StringComparison.Ordinal))
            .GroupBy(id => id[(id.IndexOf(':', StringComparison.Ordinal) + 1)..])
            .OrderByDescending(server => server.Count())
            .Take(MaxServers)
            .Select(server => server.Key),
    ];

    /// <exception cref="IOException">A record can't be read.</exception>
    public static int CountPages(RoomVisibility room, Reader reader, DateOnly day) =>
        CountPages(new ChatRelations([.. room.Read(reader, day)], []));

    /// <summary>The page on which an event of a day is, and the event in whose line.</summary>
    public static (int Page, string Line) Find(RoomVisibility room, Reader reader, VisibleEvent e)
    {
        var relations = new ChatRelations([.. room.Read(reader, e.Position.Day)], []);
        var line = relations.LineOf(e.Event.EventId);
        var index = relations.Lines.Index().FirstOrDefault(other => other.Item.Event.EventId == line).Index;
        return ((index / LinesPerPage) + 1, e.Original is null ? e.Event.EventId : line);
    }

    private static int CountPages(ChatRelations relations) => Math.Max(1, (relations.Lines.Count + LinesPerPage - 1) / LinesPerPage);

    private static List<ChatItem> Fold(List<ChatItem> items)
    {
        var folded = new List<ChatItem>();
        for (var i = 0; i < items.Count;)
        {
            var run = items.Skip(i).TakeWhile(item => item is ChatSentence { IsMember: true }).Cast<ChatSentence>().ToList();
            if (run.Count >= MinFold)
            {
                folded.Add(new ChatFold(run));
                i += run.Count;
            }
            else
            {
                folded.Add(items[i]);
                i++;
            }
        }

        return folded;
    }
}
