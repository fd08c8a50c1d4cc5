using System.Globalization;
using LoggingService.Rendering;
using LoggingService.RoomLogs;
using LoggingService.Visibility;
using Microsoft.Extensions.Caching.Memory;

namespace LoggingService.Pages;

/// <summary>The list of rooms, and the pages of a room.</summary>
internal sealed class RoomPages(
    VisibleRooms rooms, PageRenderer renderer, PageLinks links, Assets assets, PageTags tags, TimeZoneInfo zone) : IDisposable
{
    /// <summary>Bytes of pages that were rendered: many readers may follow one link.</summary>
    private const int MaxRenderedBytes = 32 << 20;

    /// <summary>A reaction to a reaction, and so on.</summary>
    private const int MaxDepth = 3;

    /// <summary>How many predecessors of a room are searched for a day.</summary>
    private const int MaxUpgrades = 10;

    private readonly Text _text = renderer.Text;
    private readonly MemoryCache _rendered = new(new MemoryCacheOptions { SizeLimit = MaxRenderedBytes });

    public void Dispose() => _rendered.Dispose();

    public Task WriteRoomsAsync(HttpContext http, Reader reader)
    {
        var rows = rooms.All(reader)
            .Where(room => room.Days.Count > 0)
            .Select(room => (Room: room, Title: PageFrame.RoomTitleOf(room)))
            .Select(row => new RoomRow(
                row.Room, row.Title, InitialOf(row.Title),
                row.Room.CanonicalAlias ?? string.Join(", ", row.Room.Links.Select(link => $"#{link}")),
                LogLine.TimeAt(row.Room.LastReceivedAt, zone)))
            .OrderByDescending(row => row.LastEvent)
            .ToList();
        http.Response.Headers.CacheControl = "no-cache";
        return renderer.WriteAsync(
            http, StatusCodes.Status200OK, _text.Rooms, null,
            new AspNetCoreGeneratedDocument.Pages_RoomsPage { Model = new(_text, links, rooms.IsReady, rows) });
    }

    /// <param name="year">The newest one without it.</param>
    public async Task<bool> TryWriteCalendarAsync(HttpContext http, Reader reader, RoomVisibility room, int? year)
    {
        var years = room.Days.Select(day => day.Year).Distinct().ToList();
        var shown = year ?? years.LastOrDefault();
        if (!years.Contains(shown))
        {
            return false;
        }

        var most = room.Days.Where(day => day.Year == shown).Max(room.CountOf);
        http.Response.Headers.CacheControl = "no-cache";
        await renderer.WriteAsync(
            http, StatusCodes.Status200OK, $"{PageFrame.RoomTitleOf(room)} · {_text.Calendar} {shown}", room,
            new AspNetCoreGeneratedDocument.Pages_CalendarPage
            {
                Model = new(_text, links, room, shown, years, most, UpgradesOf(reader, room)),
            });
        return true;
    }

    /// <summary>To the end of the newest day, where new lines appear.</summary>
    public bool RedirectToLatest(HttpContext http, Reader reader, RoomVisibility room)
    {
        var day = room.Days[^1];
        var pages = room.CountOf(day) <= ChatDay.LinesPerPage ? 1 : _rendered.GetOrCreate($"pages {TagOf(reader, room, day, 0)}", entry =>
        {
            entry.Size = 100;
            return ChatDay.CountPages(room, reader, day);
        });
        return Redirect(http, $"{links.Day(room, day, pages)}#{PageLinks.End}");
    }

    public bool TryRedirectToEvent(HttpContext http, Reader reader, RoomVisibility room, string eventId)
    {
        if (room.Find(reader, eventId) is not { } e)
        {
            return false;
        }

        // What belongs to another event, such as a reaction, has no line.
        for (var depth = 0; depth < MaxDepth && ChatRelations.TargetOf(e) is { } id && room.Find(reader, id) is { } target; depth++)
        {
            e = target;
        }

        var (page, line) = ChatDay.Find(room, reader, e);
        return Redirect(http, $"{links.DayById(room, e.Position.Day, page)}#{PageLinks.Anchor(line)}");
    }

    /// <summary>Redirects to a day on which the alias of an address led to a predecessor of the room.</summary>
    /// <param name="suffix">Such as <c>.txt</c>.</param>
    public bool TryRedirectToPredecessor(HttpContext http, Reader reader, RoomVisibility room, DateOnly day, string suffix)
    {
        for (var upgrades = 0; upgrades < MaxUpgrades; upgrades++)
        {
            if (rooms.FindUpgrade(reader, room, UpgradeLinks.Previous) is not { } predecessor)
            {
                return false;
            }

            if (predecessor.CountOf(day) > 0)
            {
                return Redirect(http, $"{links.DayById(predecessor, day)}{suffix}{http.Request.QueryString}");
            }

            room = predecessor;
        }

        return false;
    }

    public async Task<bool> TryWriteDayAsync(HttpContext http, Reader reader, RoomVisibility room, DateOnly day)
    {
        var page = 1;
        if (http.Request.Query["page"] is [{ } text]
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out page) || page < 1))
        {
            return false;
        }

        var isPast = day != room.Days[^1];
        var tag = TagOf(reader, room, day, page);
        http.Response.Headers.CacheControl = "no-cache";
        if (isPast && PageTags.IsUnchanged(http, tag))
        {
            return true;
        }

        if (_rendered.TryGetValue(tag, out byte[]? known))
        {
            await PageRenderer.WriteAsync(http, known!);
            return true;
        }

        // Before the day is read: what changes meanwhile is sent again.
        var state = room.StateOf(day);
        var chat = ChatDay.Read(room, reader, day, page, zone, _text);
        if (page > chat.Pages)
        {
            return false;
        }

        var model = new DayModel(
            _text, links, room, day, chat, Neighbour(room, day, before: true), Neighbour(room, day, before: false),
            ZoneOf(day, zone), AmbiguousNamesOf(chat),
            isPast || page < chat.Pages ? null : new(links.Live(room, new(day, chat.Last, state)), links.Asset(assets.LiveScript)))
        {
            Upgrades = UpgradesOf(reader, room),
        };
        var rendered = await renderer.RenderPageAsync(
            $"{PageFrame.RoomTitleOf(room)} · {day:yyyy-MM-dd}", room, new AspNetCoreGeneratedDocument.Pages_DayPage { Model = model });
        if (tag == TagOf(reader, room, day, page))
        {
            // What is hidden did not change meanwhile.
            _rendered.Set(tag, rendered, new MemoryCacheEntryOptions { Size = rendered.Length });
        }

        await PageRenderer.WriteAsync(http, rendered);
        return true;
    }

    private UpgradedRooms UpgradesOf(Reader reader, RoomVisibility room) =>
        new(rooms.FindUpgrade(reader, room, UpgradeLinks.Previous), rooms.FindUpgrade(reader, room, UpgradeLinks.Next));

    private static bool Redirect(HttpContext http, string address)
    {
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.StatusCode = StatusCodes.Status302Found;
        http.Response.Headers.Location = address;
        return true;
    }

    private string TagOf(Reader reader, RoomVisibility room, DateOnly day, int page) => tags.Of(
        room,
        $"page {page} {Neighbour(room, day, before: true):O} {Neighbour(room, day, before: false):O} {UpgradesOf(reader, room)}",
        day);

    private static DateOnly? Neighbour(RoomVisibility room, DateOnly day, bool before) => before
        ? room.Days.Where(other => other < day).Select(other => (DateOnly?)other).LastOrDefault()
        : room.Days.Where(other => other > day).Select(other => (DateOnly?)other).FirstOrDefault();

    public static string ZoneOf(DateOnly day, TimeZoneInfo zone)
    {
        var offset = zone.GetUtcOffset(day.ToDateTime(new TimeOnly(12, 0)));
        return $"UTC{(offset < TimeSpan.Zero ? "−" : "+")}{offset:hh\\:mm}";
    }

    public static HashSet<string> AmbiguousNamesOf(ChatDay chat) =>
    [
        .. chat.Items.OfType<ChatMessage>().SelectMany(message => message.Thread.Prepend(message))
            .Select(message => message.Sender).Distinct()
            .GroupBy(sender => sender.Name).Where(group => group.Count() > 1).Select(group => group.Key),
    ];

    private static string InitialOf(string title)
    {
        var start = title.TrimStart('#', '!', '@', ' ');
        return start.Length == 0 ? "#" : StringInfo.GetNextTextElement(start).ToUpperInvariant();
    }
}
