using LoggingService.Search;
using LoggingService.Visibility;
using Microsoft.AspNetCore.Html;

namespace LoggingService.Pages;

/// <summary>What the frame of each page shows.</summary>
/// <param name="Room"><c>null</c> for pages of no room.</param>
/// <param name="IsIndexed">Search engines may index the page.</param>
internal sealed record PageFrame(
    string Title, Text Text, PageLinks Links, Assets Assets, string? Contact, RoomVisibility? Room, bool IsIndexed, HtmlString Content)
{
    /// <summary>What is in the field for searches.</summary>
    public string? Query { get; init; }

    public string RoomTitle => Room is null ? "" : RoomTitleOf(Room);

    public static string RoomTitleOf(RoomVisibility room) =>
        room.Name ?? room.CanonicalAlias ?? (room.Links.Count > 0 ? $"#{room.Links[0]}" : room.RoomId);
}

internal sealed record RoomsModel(Text Text, PageLinks Links, bool IsReady, IReadOnlyList<RoomRow> Rooms);

internal sealed record RoomRow(RoomVisibility Room, string Title, string Initial, string Alias, DateTimeOffset LastEvent);

internal sealed record DayModel(
    Text Text, PageLinks Links, RoomVisibility Room, DateOnly Day, ChatDay Chat, DateOnly? Previous, DateOnly? Next, string Zone,
    IReadOnlySet<string> AmbiguousNames, LiveModel? Live)
{
    public UpgradedRooms Upgrades { get; init; } = UpgradedRooms.None;
}

/// <summary>The room before and the one after an upgrade, as far as the reader may see them.</summary>
internal sealed record UpgradedRooms(RoomVisibility? Predecessor, RoomVisibility? Successor)
{
    public static UpgradedRooms None { get; } = new(null, null);

    /// <summary>Changes whenever a page shows something else of them.</summary>
    public override string ToString() => string.Join(
        '\n', ((RoomVisibility?[])[Predecessor, Successor])
            .Select(room => room is null ? "" : $"{room.RoomId} {room.Address} {PageFrame.RoomTitleOf(room)}"));
}

internal sealed record UpgradesModel(Text Text, PageLinks Links, UpgradedRooms Rooms);

/// <summary>Of the last page of a room's newest day.</summary>
/// <param name="Address">Of the events that are new to the page.</param>
internal sealed record LiveModel(string Address, string Script);

/// <param name="IsContinued">The line before is of the same sender.</param>
internal sealed record MessageModel(DayModel Day, ChatMessage Message, bool IsContinued, bool IsReply = false);

internal sealed record CalendarModel(
    Text Text, PageLinks Links, RoomVisibility Room, int Year, IReadOnlyList<int> Years, int Most,
    UpgradedRooms Upgrades);

internal sealed record SentenceModel(DayModel Day, ChatSentence Sentence);

/// <summary>What can be done with a line.</summary>
/// <param name="IsNote">Only the log knows it.</param>
internal sealed record ActionsModel(DayModel Day, string EventId, bool IsNote = false);

/// <summary>The links to the other pages of a day.</summary>
/// <param name="IsBelow">They are those below the lines.</param>
internal sealed record PagerModel(DayModel Day, bool IsBelow)
{
    /// <summary>The first page, the last one, and those around the one that is shown; <c>null</c> where pages are left out.</summary>
    public IReadOnlyList<int?> Pages
    {
        get
        {
            var (page, last) = (Day.Chat.Page, Day.Chat.Pages);
            var shown = Enumerable.Range(page - 2, 5).Append(1).Append(last).Where(number => number >= 1 && number <= last)
                .Distinct().Order().ToList();
            return [.. shown.SelectMany((number, i) => (IEnumerable<int?>)((i == 0 ? 1 : number - shown[i - 1]) switch
            {
                1 => [number],
                2 => [number - 1, number],
                _ => [null, number],
            }))];
        }
    }
}

/// <param name="Room">Where was searched; <c>null</c> for all rooms.</param>
/// <param name="Found"><c>null</c> if there was nothing to search for.</param>
internal sealed record SearchModel(
    Text Text, PageLinks Links, RoomVisibility? Room, string Query, FoundPage? Found, IReadOnlyList<string> Notes,
    IReadOnlyList<SearchRow> Rows, string Zone);

internal sealed record SearchRow(SearchLine Line, RoomVisibility Room, SearchLine? Before, SearchLine? After);

internal sealed record SearchLine(string Link, DateTimeOffset Time, ChatSender Sender, HtmlString Text);

internal sealed record NoticeModel(string Title, string Message);
