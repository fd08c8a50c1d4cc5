using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.History;

/// <summary>Reads the history of rooms from the homeserver, page by page, and tells what of it may be logged.</summary>
internal sealed class HistoryPages(
    HomeserverHistory homeserver, LogDirectory logs, RoomRetention retention, TimeProvider time)
{
    /// <summary>The events of a page, which is in memory as a whole.</summary>
    public const int PageSize = 100;

    private DateOnly Today => DateOnly.FromDateTime(time.GetLocalNow().DateTime);

    /// <summary>The first day of a room that has neither expired nor was removed; <c>null</c> if there is none.</summary>
    /// <param name="withRemoved">Also days that were removed earlier, if the settings in effect keep them.</param>
    public DateOnly? FindFirstKept(string roomId, bool withRemoved)
    {
        var kept = retention.FindDaysKept(roomId) is { } days ? Today.AddDays(-days) : (DateOnly?)null;
        var removed = withRemoved ? null : logs.Removed.FindFirstKept(FolderName.ForRoom(roomId));
        return removed > kept ? removed : kept ?? removed;
    }

    /// <param name="from">The position to start at; <c>null</c> for the first or the last event of the room.</param>
    /// <exception cref="HomeserverException">The homeserver refuses, or can't be reached.</exception>
    public async Task<HistoryPage> ReadAsync(
        string roomId, string? from, bool isForward, CancellationToken cancellation, int limit = PageSize)
    {
        var page = await homeserver.ReadAsync(roomId, from, isForward, limit, cancellation);
        return new([.. page.Events.Select(json => HistoryEvent.Read(json, roomId)).OfType<RoomEvent>()], page.Start, page.End);
    }

    /// <summary>Whether an event has neither expired nor been erased or removed.</summary>
    /// <inheritdoc cref="FindFirstKept"/>
    public bool MayBeLogged(RoomEvent e, bool withRemoved) =>
        !logs.Marks.Covers(e.RoomId, e.OriginServerTs) && !(DayOf(e) < FindFirstKept(e.RoomId, withRemoved));

    /// <summary>The day on which an event was sent, by its sender's server; not after today.</summary>
    public DateOnly DayOf(RoomEvent e)
    {
        var day = e.OriginServerTs is null ? Today : DateOnly.FromDateTime(LogLine.Time(e, time.LocalTimeZone).DateTime);
        return day < Today ? day : Today;
    }
}
