using System.Security.Cryptography;
using LoggingService.Visibility;
using Microsoft.AspNetCore.Html;

namespace LoggingService.Pages;

/// <summary>Days of a room as one HTML file that needs nothing else: no script, no other file.</summary>
internal sealed class RoomFile(Assets assets, TimeZoneInfo zone)
{
    private static readonly PageLinks Links = new("", isFile: true);

    private readonly Text _text = Text.English;

    /// <summary>The parts of the file, each rendered when it is read.</summary>
    /// <param name="days">Those with events, in their order.</param>
    /// <exception cref="IOException">A record can't be read.</exception>
    public async IAsyncEnumerable<string> PartsAsync(RoomVisibility room, Reader reader, IEnumerable<DateOnly> days)
    {
        var style = assets.Find(assets.Style)!.Content;
        var start = new FileModel(
            _text, PageFrame.RoomTitleOf(room), room.Topic, new(System.Text.Encoding.UTF8.GetString(style)),
            new(Convert.ToBase64String(SHA256.HashData(style))));
        yield return await PageRenderer.RenderAsync(new AspNetCoreGeneratedDocument.Pages_FileStart { Model = start });
        foreach (var day in days)
        {
            foreach (var chat in ChatDay.ReadAll(room, reader, day, zone, _text))
            {
                var model = new DayModel(
                    _text, Links, room, day, chat, null, null, RoomPages.ZoneOf(day, zone), RoomPages.AmbiguousNamesOf(chat), null);
                yield return await PageRenderer.RenderAsync(new AspNetCoreGeneratedDocument.Pages_FileDay { Model = model });
            }
        }

        yield return "</main>\n</body>\n</html>\n";
    }
}

/// <param name="StyleHash">Of <paramref name="Style"/>, in base64: the file's own policy allows no other style.</param>
internal sealed record FileModel(Text Text, string Title, string? Topic, HtmlString Style, HtmlString StyleHash);
