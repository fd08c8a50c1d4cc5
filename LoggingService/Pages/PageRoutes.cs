using System.Globalization;
using LoggingService.Http;
using LoggingService.Visibility;
using Microsoft.AspNetCore.Http.Features;

namespace LoggingService.Pages;

/// <summary>
/// All addresses of the pages. They are read as they were sent: an id may hold an encoded slash. What is unknown and what a reader may not
/// see get the same answer, before any file is opened.
/// </summary>
internal sealed partial class PageRoutes(
    VisibleRooms rooms, PageRenderer renderer, RoomPages pages, SearchPages searches, RoomDownloads downloads, LiveRooms live,
    Assets assets, PagesOptions options, ILogger<PageRoutes> logger)
{
    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            if (!await TryHandleAsync(http))
            {
                await renderer.WriteNotFoundAsync(http);
            }
        }
        catch (Exception e) when ((e is IOException or UnauthorizedAccessException) && !http.Response.HasStarted)
        {
            // Compressed, erased or removed meanwhile: the next request finds it, or nothing.
            Log.Failed(logger, e.Message);
            await renderer.WriteFailedAsync(http);
        }
#pragma warning disable CA1031 // A bug in one page.
        catch (Exception e) when (e is not (OperationCanceledException or IOException) && !http.Response.HasStarted)
#pragma warning restore CA1031
        {
            Log.Bug(logger, e);
            await renderer.WriteFailedAsync(http);
        }
    }

    /// <summary>Sends the style and the scripts, which are in memory: they wait for no page.</summary>
    public async Task SendAssetAsync(HttpContext http, RequestDelegate next)
    {
        if (!IsRead(http) || SplitPath(http) is not ["assets", var name] || assets.Find(name) is not { } asset)
        {
            await next(http);
            return;
        }

        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        http.Response.ContentType = asset.Type;
        http.Response.ContentLength = asset.Content.Length;
        if (HttpMethods.IsGet(http.Request.Method))
        {
            await http.Response.Body.WriteAsync(asset.Content, http.RequestAborted);
        }
    }

    private static bool IsRead(HttpContext http) => HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method);

    private async Task<bool> TryHandleAsync(HttpContext http)
    {
        if (!IsRead(http) || SplitPath(http) is not { } path)
        {
            return false;
        }

        // Signing in will make another reader of the request.
        var reader = Reader.Anonymous;
        switch (path)
        {
            case [""]:
                await pages.WriteRoomsAsync(http, reader);
                return true;
            case ["r", ..] or ["search"] when !rooms.IsReady:
                http.Response.Headers.RetryAfter = "2";
                await renderer.WriteFailedAsync(http);
                return true;
            case ["search"]:
                await searches.WriteAsync(http, reader, room: null);
                return true;
            case ["r", var name, .. var rest] when rooms.Find(reader, name) is { } room:
                http.Response.Headers["X-Robots-Tag"] = renderer.IsIndexed(room) ? "all" : "noindex, nofollow";
                return await TryHandleAsync(http, reader, room, name != room.RoomId, rest);
            default:
                return false;
        }
    }

    private async Task<bool> TryHandleAsync(HttpContext http, Reader reader, RoomVisibility room, bool isAlias, string[] path)
    {
        switch (path)
        {
            case []:
                return await pages.TryWriteCalendarAsync(http, reader, room, null);
            case ["latest"] when room.Days.Count > 0:
                return pages.RedirectToLatest(http, reader, room);
            case ["feed.atom"]:
                await downloads.WriteFeedAsync(http, reader, room);
                return true;
            case ["live"]:
                return await TryWriteLiveAsync(http, reader, room);
            case ["search"]:
                await searches.WriteAsync(http, reader, room);
                return true;
            case ["e", var eventId]:
                return pages.TryRedirectToEvent(http, reader, room, eventId);
            case [var year] when int.TryParse(year, NumberStyles.None, CultureInfo.InvariantCulture, out var number):
                return await pages.TryWriteCalendarAsync(http, reader, room, number);
            case [var year, [_, _, '.', 'h', 't', 'm', 'l'] file]:
                return await TryWriteMonthAsync(http, reader, room, $"{year}/{file[..2]}");
            case [var year, var month, var day]:
                var name = $"{year}/{month}/{day}";
                var suffix = name.IndexOf('.', StringComparison.Ordinal) is var dot and > 0 ? name[dot..] : "";
                var dayPath = name[..^suffix.Length];
                return DateOnly.TryParseExact(dayPath, "yyyy/MM/dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
                    && suffix is "" or ".html" or ".txt" or ".jsonl"
                    && (room.CountOf(date) > 0
                        ? await TryWriteDayAsync(http, reader, room, date, suffix)
                        : isAlias && pages.TryRedirectToPredecessor(http, reader, room, date, suffix));
            default:
                return false;
        }
    }

    private async Task<bool> TryWriteLiveAsync(HttpContext http, Reader reader, RoomVisibility room)
    {
        var position = LivePosition.Parse(http.Request.Headers["Last-Event-ID"]) ?? LivePosition.Parse(http.Request.Query["from"]);
        if (position is null || room.Days.Count == 0)
        {
            return false;
        }

        if (!await live.TryWriteAsync(http, reader, room, position.Value))
        {
            await renderer.WriteBusyAsync(http);
        }

        return true;
    }

    private async Task<bool> TryWriteMonthAsync(HttpContext http, Reader reader, RoomVisibility room, string name)
    {
        var isMonth = DateOnly.TryParseExact(name, "yyyy/MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var month);
        var days = room.Days.Where(day => day.Year == month.Year && day.Month == month.Month).ToList();
        if (!isMonth || days.Count == 0)
        {
            return false;
        }

        await downloads.WriteFileAsync(http, reader, room, days);
        return true;
    }

    private async Task<bool> TryWriteDayAsync(HttpContext http, Reader reader, RoomVisibility room, DateOnly day, string suffix)
    {
        switch (suffix)
        {
            case "":
                return await pages.TryWriteDayAsync(http, reader, room, day);
            case ".html":
                await downloads.WriteFileAsync(http, reader, room, [day]);
                return true;
            case ".txt":
                await downloads.WriteTextAsync(http, reader, room, day);
                return true;
            case ".jsonl":
                await downloads.WriteRecordsAsync(http, reader, room, day);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The decoded parts of the path behind the prefix; <c>null</c> if it has another prefix, or is not UTF-8.</summary>
    private string[]? SplitPath(HttpContext http)
    {
        var path = http.Features.Get<IHttpRequestFeature>()!.RawTarget.Split('?')[0];
        if (!path.StartsWith(options.PathPrefix + "/", StringComparison.Ordinal))
        {
            return null;
        }

        var parts = path[(options.PathPrefix.Length + 1)..].Split('/').Select(RawPathMiddleware.Decode).ToList();
        return parts.Contains(null) ? null : [.. parts.Select(part => part!)];
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.PageFailed, LogLevel.Warning, "Failed to show a page: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);

        [LoggerMessage(EventIds.PageBug, LogLevel.Error, "Failed to show a page. This is a bug in LoggingService, please report it.")]
        public static partial void Bug(ILogger logger, Exception bug);
    }
}
