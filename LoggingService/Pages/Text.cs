using System.Globalization;

namespace LoggingService.Pages;

/// <summary>All words of the pages, in one language. Another language is another object of this type.</summary>
internal sealed record Text
{
    public static Text English { get; } = new();

    /// <summary>For <c>lang</c>.</summary>
    public string Language { get; init; } = "en";

    /// <summary>Of numbers and dates. The program has no data of others.</summary>
    public CultureInfo Culture { get; init; } = CultureInfo.InvariantCulture;

    /// <summary>Of dates that a script writes.</summary>
    public string Locale { get; init; } = "en-GB";

    /// <summary>From Monday on.</summary>
    public IReadOnlyList<(string Short, string Name)> Weekdays { get; init; } =
    [
        ("Mo", "Monday"), ("Tu", "Tuesday"), ("We", "Wednesday"), ("Th", "Thursday"), ("Fr", "Friday"), ("Sa", "Saturday"),
        ("Su", "Sunday"),
    ];

    public string DayFormat { get; init; } = "dddd, d MMMM yyyy";
    public string MonthFormat { get; init; } = "MMMM yyyy";
    public string Image { get; init; } = "Image";
    public string AudioFile { get; init; } = "Audio file";
    public string VoiceMessage { get; init; } = "Voice message";
    public string Video { get; init; } = "Video";
    public string Sticker { get; init; } = "Sticker";
    public string File { get; init; } = "File";

    public string Rooms { get; init; } = "Rooms";
    public string Skip { get; init; } = "Skip to the messages";
    public string Calendar { get; init; } = "Calendar";
    public string Latest { get; init; } = "Latest";
    public string Feed { get; init; } = "Feed";
    public string Download { get; init; } = "Download";
    public string PlainText { get; init; } = "Text";
    public string Records { get; init; } = "Records";
    public string Previous { get; init; } = "Earlier";
    public string Next { get; init; } = "Later";
    public string Predecessor { get; init; } = "This room continues an older one:";
    public string Successor { get; init; } = "This room was replaced. The newer one:";
    public string Filter { get; init; } = "Filter by typing";
    public string NoRooms { get; init; } = "No room is shown here.";

    public string NoRoomsWhy { get; init; } =
        "Only rooms whose history anyone may read are shown, and only what was said while that was so. "
        + "No room in the logs is such a room now.";

    public string NoRoomsWhat { get; init; } =
        "A moderator can change that: in the room’s settings, “Who can read history?” is set to “Anyone”, which sets "
        + "m.room.history_visibility to world_readable. Rooms that the service creates get it by its setting HistoryVisibility. "
        + "What was said before stays hidden.";

    public string Starting { get; init; } = "The logs are being read. Reload this page in a moment.";
    public string NotFoundTitle { get; init; } = "Not found";
    public string NotFound { get; init; } = "There is nothing here, or nothing that may be shown.";
    public string BusyTitle { get; init; } = "Too many requests";
    public string Busy { get; init; } = "There are too many requests at the moment. Try again soon.";
    public string FailedTitle { get; init; } = "This page cannot be shown";
    public string Failed { get; init; } = "Something went wrong. Try again later.";
    public string Removed { get; init; } = "Message removed";
    public string NotLogged { get; init; } = "Not logged at the sender’s wish";
    public string Erased { get; init; } = "Erased from the log";
    public string Hidden { get; init; } = "Hidden by the administrators";
    // In the text of a day, after the sender, or after LineOfUnknown if that is hidden.
    public string LineNotLogged { get; init; } = "not logged";
    public string LineErased { get; init; } = "erased";
    public string LineHidden { get; init; } = "hidden";
    public string LineRemoved { get; init; } = "removed";
    public string LineOfUnknown { get; init; } = "an event";

    public string Encrypted { get; init; } = "Encrypted message: it cannot be shown";
    public string Unknown { get; init; } = "a message that is not shown here";
    public string InReplyTo { get; init; } = "In reply to";
    public string Edited { get; init; } = "edited";
    public string EditHistory { get; init; } = "Earlier versions";
    public string Thread { get; init; } = "Thread";
    public string ThreadGoesOn { get; init; } = "The thread goes on in the lines of the day.";
    public string Spoiler { get; init; } = "Spoiler";
    public string ShowAll { get; init; } = "Show all";
    public string OpenInMatrix { get; init; } = "Open in Matrix";
    public string OpenInApp { get; init; } = "Open in an app";
    public string Permalink { get; init; } = "Link to this message";
    public string CopyLink { get; init; } = "Copy link";
    public string CopyText { get; init; } = "Copy text";
    public string CopyFailed { get; init; } = "Not copied";
    public string Copied { get; init; } = "Copied";
    public string Shortcuts { get; init; } = "Single-key shortcuts: j and k to move; n and p for pages and days";
    public string Report { get; init; } = "Report content to";
    public string PollEnded { get; init; } = "Poll ended";
    public string PollOpen { get; init; } = "Poll";
    public string PollSecret { get; init; } = "The votes are shown when the poll has ended.";
    public string LastEvent { get; init; } = "last event";
    public string JumpToNewest { get; init; } = "New messages below";
    public string NewDate { get; init; } = "New date:";
    public string NewDay { get; init; } = "A new day has begun:";
    public string NoLongerShown { get; init; } = "This room is no longer shown.";
    public string Empty { get; init; } = "(no text)";
    public string ImageWithoutText { get; init; } = "(image)";

    /// <summary>The zone of the times, as long as no script has replaced them.</summary>
    public string TimesInZone { get; init; } = "Times are in";

    public string TimesAreYours { get; init; } = "Times are in your time zone; days are the server’s.";

    public string Search { get; init; } = "Search";
    public string SearchAll { get; init; } = "Search all rooms";
    public string SearchRoom { get; init; } = "Search this room";
    public string NothingFound { get; init; } = "Nothing was found.";
    public string OlderResults { get; init; } = "Older results";

    public string SearchHelp { get; init; } =
        "All words are searched for. “Good morning” in quotes is a phrase, kett* the start of a word. from:alice, in:logged_tea, "
        + "before:2026-11-23, after:2026-11, has:link, has:image and has:file select messages.";

    /// <summary>Before parts of the query.</summary>
    public string NotUnderstood { get; init; } = "Not understood in the query:";

    /// <summary>Before the name that was searched in.</summary>
    public string NoSuchRoom { get; init; } = "No room has this name here:";

    public string FromIsUserId { get; init; } =
        "After from: stands the id of a user, such as @alice:example.org, or its first part, alice: not a display name.";

    public string SearchUnavailable { get; init; } = "Searches are not available at the moment. Try again later.";

    public string SearchTookTooLong { get; init; } =
        "The search took too long, so that older results may be missing. Add a word, from: or after:.";

    /// <summary>Without a number: it would tell how much there is of rooms that are not shown.</summary>
    public string IndexIsBuilt { get; init; } = "The index for searches is being built, so that results are missing.";

    public string QueryTooLong(int maximum) => $"The query is too long: only the first {Number(maximum)} characters are used.";

    public string Results(int count, bool hasMore, bool isExact) =>
        hasMore ? $"More than {Number(count)} results"
        : !isExact ? $"About {Number(count)} results"
        : count == 1 ? "1 result"
        : $"{Number(count)} results";

    public string Events(int count) => count == 1 ? "1 event" : $"{Number(count)} events";

    public string Replies(int count) => count == 1 ? "1 reply in the thread" : $"{Number(count)} replies in the thread";

    public string Votes(int count) => count == 1 ? "1 vote" : $"{Number(count)} votes";

    public string Page(int page, int of) => $"Page {Number(page)} of {Number(of)}";

    public string PageBelow(int page, int of) => $"{Page(page, of)}, below the messages";

    public string MembershipChanges(int count) => $"{Number(count)} changes of members";

    public string Day(DateOnly day) => day.ToString(DayFormat, Culture);

    public string Month(DateOnly day) => day.ToString(MonthFormat, Culture);

    public string Number(int number) => number.ToString("N0", Culture);

    public string Kind(string kind) => kind switch
    {
        "image" => Image,
        "audio" => AudioFile,
        "voice" => VoiceMessage,
        "video" => Video,
        "sticker" => Sticker,
        _ => File,
    };
}
