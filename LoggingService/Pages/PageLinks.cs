using System.Globalization;
using System.IO.Hashing;
using System.Text;
using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>The addresses of the pages, and of what they link to. Every part is percent-encoded.</summary>
/// <param name="prefix">Empty, or a path such as <c>/logs</c>.</param>
/// <param name="isFile">They are in a file, in which messages link to each other only.</param>
internal sealed class PageLinks(string prefix, bool isFile = false)
{
    /// <summary>The id of the element after the lines of a day.</summary>
    public const string End = "end";

    public string Rooms => $"{prefix}/";

    public string Asset(string name) => $"{prefix}/assets/{name}";

    public string Room(RoomVisibility room) => $"{prefix}/r/{Encode(room.Address)}";

    public string Latest(RoomVisibility room) => $"{Room(room)}/latest";

    /// <param name="room">Where to search; <c>null</c> for all rooms.</param>
    /// <param name="position">Of the row before which the page begins.</param>
    public string Search(RoomVisibility? room, string? query = null, long? position = null) =>
        $"{(room is null ? prefix : Room(room))}/search"
        + (query is null ? "" : $"?q={Uri.EscapeDataString(query)}")
        + (position is null ? "" : string.Create(CultureInfo.InvariantCulture, $"&before={position}"));

    public string Feed(RoomVisibility room) => $"{Room(room)}/feed.atom";

    public string Year(RoomVisibility room, int year) => string.Create(CultureInfo.InvariantCulture, $"{Room(room)}/{year:0000}");

    public string MonthFile(RoomVisibility room, DateOnly month) =>
        $"{Room(room)}/{month.ToString("yyyy/MM", CultureInfo.InvariantCulture)}.html";

    public string Day(RoomVisibility room, DateOnly day, int page = 1) => $"{Room(room)}{DayPath(day, page)}";

    /// <summary>The address of a day that stays valid when the room's alias changes, or leads to another room.</summary>
    public string DayById(RoomVisibility room, DateOnly day, int page = 1) => $"{prefix}/r/{Encode(room.RoomId)}{DayPath(day, page)}";

    /// <summary>The page of an event, independent of its day and of the room's aliases.</summary>
    public string Event(RoomVisibility room, string eventId) =>
        isFile ? $"#{Anchor(eventId)}" : $"{prefix}/r/{Encode(room.RoomId)}/e/{Encode(eventId)}";

    /// <summary>The lines that follow on the newest day.</summary>
    public string Live(RoomVisibility room, LivePosition from) => $"{prefix}/r/{Encode(room.RoomId)}/live?from={from}";

    /// <summary>The id of an event's element, which is also the fragment of its address. Event ids may hold anything.</summary>
    public static string Anchor(string eventId) =>
        $"e{XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(eventId)):x16}";

    /// <summary>An address for apps. (Matrix specification, appendices, "matrix: URI scheme".)</summary>
    /// <param name="servers">By which the room can be found if neither its alias nor its id names one. (Room version 12.)</param>
    public static string Matrix(RoomVisibility room, string eventId, IReadOnlyList<string> servers) =>
        $"matrix:roomid/{Encode(room.RoomId[1..])}/e/{Encode(eventId.TrimStart('$'))}{Via(room, servers)}";

    /// <summary>An address for browsers. (Matrix specification, appendices, "matrix.to navigation".)</summary>
    public static string MatrixTo(RoomVisibility room, string eventId, IReadOnlyList<string>? servers = null) =>
        $"https://matrix.to/#/{Encode(room.RoomId)}/{Encode(eventId)}{Via(room, servers ?? [])}";

    /// <summary>Also <c>.</c> and <c>..</c> are encoded, which browsers resolve.</summary>
    public static string Encode(string part) =>
        part.Trim('.').Length == 0 ? part.Replace(".", "%2E", StringComparison.Ordinal) : Uri.EscapeDataString(part);

    private static string DayPath(DateOnly day, int page) => day.ToString("/yyyy/MM/dd", CultureInfo.InvariantCulture)
        + (page > 1 ? string.Create(CultureInfo.InvariantCulture, $"?page={page}") : "");

    /// <summary>Servers by which the room can be found.</summary>
    private static string Via(RoomVisibility room, IReadOnlyList<string> servers)
    {
        var name = room.CanonicalAlias ?? room.RoomId;
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        var via = colon < 0 ? servers : [name[(colon + 1)..]];
        return via.Count == 0 ? "" : $"?{string.Join('&', via.Select(server => $"via={Encode(server)}"))}";
    }
}
