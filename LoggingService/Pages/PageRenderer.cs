using System.Text;
using LoggingService.Files;
using LoggingService.Visibility;
using RazorSlices;

namespace LoggingService.Pages;

/// <summary>Renders pages: the content, then the frame around it. They are sent when the work has ended.</summary>
internal sealed class PageRenderer(PageLinks links, Assets assets, PagesOptions options)
{
    private const string HtmlType = "text/html; charset=utf-8";

    public Text Text { get; } = Text.English;

    /// <summary>The same bytes for whatever is unknown, hidden or private.</summary>
    public Task WriteNotFoundAsync(HttpContext http) =>
        WriteNoticeAsync(http, StatusCodes.Status404NotFound, Text.NotFoundTitle, Text.NotFound);

    public Task WriteBusyAsync(HttpContext http)
    {
        http.Response.Headers.RetryAfter = "2";
        return WriteNoticeAsync(http, StatusCodes.Status429TooManyRequests, Text.BusyTitle, Text.Busy);
    }

    public Task WriteFailedAsync(HttpContext http) =>
        WriteNoticeAsync(http, StatusCodes.Status503ServiceUnavailable, Text.FailedTitle, Text.Failed);

    /// <param name="content">The slice between header and footer.</param>
    /// <param name="query">What was searched for, on the page of a search, which search engines don't index.</param>
    public async Task WriteAsync(HttpContext http, int status, string title, RoomVisibility? room, RazorSlice content, string? query = null)
    {
        await WriteAsync(http, status, HtmlType, await RenderPageAsync(title, room, content, query));
    }

    /// <summary>A whole page, in UTF-8.</summary>
    public async Task<byte[]> RenderPageAsync(string title, RoomVisibility? room, RazorSlice content, string? query = null)
    {
        var html = await RenderAsync(content);
        var frame = new PageFrame(title, Text, links, assets, options.Contact, room, query is null && IsIndexed(room), new(html))
        {
            Query = query,
        };
        return Encoding.UTF8.GetBytes(await RenderAsync(new AspNetCoreGeneratedDocument.Pages_Layout { Model = frame }));
    }

    /// <summary>Writes a page that was rendered.</summary>
    public static Task WriteAsync(HttpContext http, byte[] page) => WriteAsync(http, StatusCodes.Status200OK, HtmlType, page);

    public static async Task<string> RenderAsync(RazorSlice slice)
    {
        using var writer = new StringWriter();
        await slice.RenderAsync(writer, MessageHtml.Encoder);
        return writer.ToString();
    }

    public static Task WriteAsync(HttpContext http, int status, string type, string content) =>
        WriteAsync(http, status, type, Encoding.UTF8.GetBytes(content));

    private static Task WriteAsync(HttpContext http, int status, string type, byte[] bytes)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = type;
        http.Features.Set(new RenderedPage(bytes));
        return Task.CompletedTask;
    }

    /// <summary>Whether search engines may index the room.</summary>
    public bool IsIndexed(RoomVisibility? room) => room is not null
        && options.RobotsAllowed.Any(allowed =>
            allowed == room.RoomId || allowed == room.CanonicalAlias || (allowed[0] == '#' && room.Links.Contains(LinkOf(allowed))));

    /// <summary>Links have no server: they are made only for aliases of the homeserver.</summary>
    private static string LinkOf(string alias) => FolderName.ForAlias(alias[1..].Split(':')[0]);

    private Task WriteNoticeAsync(HttpContext http, int status, string title, string message)
    {
        http.Response.Headers.CacheControl = "no-store";
        return WriteAsync(http, status, title, null, new AspNetCoreGeneratedDocument.Pages_NoticePage { Model = new(title, message) });
    }
}
