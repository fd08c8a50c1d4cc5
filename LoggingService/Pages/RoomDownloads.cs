using System.Globalization;
using System.Text;
using System.Xml;
using LoggingService.Rendering;
using LoggingService.Visibility;
using Microsoft.AspNetCore.HttpOverrides;

namespace LoggingService.Pages;

/// <summary>What programs read: a room's feed, a day as text or as records. All of it is made from what the reader may see.</summary>
internal sealed class RoomDownloads(PageRenderer renderer, PageLinks links, RoomFile file, PageWork work, PageTags tags, TimeZoneInfo zone)
{
    private const int FeedEntries = 50;
    private const int FeedDays = 7;

    /// <summary>Bytes of lines that are read before they are sent.</summary>
    private const int BatchSize = 64 << 10;

    public async Task WriteTextAsync(HttpContext http, Reader reader, RoomVisibility room, DateOnly day)
    {
        if (IsUnchanged(http, room, "text", day))
        {
            return;
        }

        var history = new DayHistory(room);
        var text = new EventText(history, zone);
        await WriteLinesAsync(http, "text/plain; charset=utf-8", room.Read(reader, day).Select(e =>
        {
            var line = text.Line(e);
            history.Add(e);
            return Encoding.UTF8.GetBytes($"{line}\n");
        }));
    }

    public async Task WriteRecordsAsync(HttpContext http, Reader reader, RoomVisibility room, DateOnly day)
    {
        if (!IsUnchanged(http, room, "records", day))
        {
            await WriteLinesAsync(
                http, "application/x-ndjson; charset=utf-8",
                room.Read(reader, day).Select(e => (byte[])[.. e.Event.Json.Bytes.Span, (byte)'\n']));
        }
    }

    /// <summary>Days of a month, or one day, as one file. It is no page of this site: browsers save it.</summary>
    public async Task WriteFileAsync(HttpContext http, Reader reader, RoomVisibility room, IReadOnlyList<DateOnly> days)
    {
        if (IsUnchanged(http, room, "file", [.. days]))
        {
            return;
        }

        http.Response.ContentType = "text/html; charset=utf-8";
        var name = days.Count == 1 ? $"{days[0]:yyyy-MM-dd}" : $"{days[0]:yyyy-MM}";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"log-{name}.html\"";
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await using var parts = file.PartsAsync(room, reader, days).GetAsyncEnumerator();
            while (await WorkAsync(http, () => parts.MoveNextAsync()))
            {
                await http.Response.WriteAsync(parts.Current, http.RequestAborted);
            }
        }
    }

    public async Task WriteFeedAsync(HttpContext http, Reader reader, RoomVisibility room)
    {
        var origin = OriginOf(http);
        http.Response.Headers.CacheControl = "no-cache";
        if (PageTags.IsUnchanged(http, tags.Of(room, $"feed {origin}", room.Days.TakeLast(FeedDays))))
        {
            return;
        }

        var title = PageFrame.RoomTitleOf(room);
        using var output = new MemoryStream();
        using (var xml = XmlWriter.Create(output, new() { Encoding = new UTF8Encoding(false), CheckCharacters = false }))
        {
            xml.WriteStartElement("feed", "http://www.w3.org/2005/Atom");
            xml.WriteElementString("id", $"https://matrix.to/#/{PageLinks.Encode(room.RoomId)}");
            xml.WriteElementString("title", Valid(title));
            xml.WriteElementString("updated", TimeText(LogLine.TimeAt(room.LastReceivedAt, TimeZoneInfo.Utc)));
            WriteLink(xml, "self", origin + links.Feed(room));
            WriteLink(xml, "alternate", origin + links.Latest(room));
            foreach (var (message, name) in Newest(reader, room))
            {
                xml.WriteStartElement("entry");
                xml.WriteElementString("id", PageLinks.MatrixTo(room, message.EventId).Split('?')[0]);
                xml.WriteElementString("title", Valid($"{name}: {Start(message)}"));
                xml.WriteElementString("published", TimeText(message.Time));
                xml.WriteElementString("updated", TimeText(message.EditedAt ?? message.Time));
                xml.WriteStartElement("author");
                xml.WriteElementString("name", Valid(name));
                xml.WriteEndElement();
                WriteLink(xml, "alternate", origin + links.Event(room, message.EventId));
                xml.WriteStartElement("content");
                xml.WriteAttributeString("type", "html");
                xml.WriteString(Valid(HtmlOf(message)));
                xml.WriteEndElement();
                xml.WriteEndElement();
            }

            xml.WriteEndElement();
        }

        await PageRenderer.WriteAsync(
            http, StatusCodes.Status200OK, "application/atom+xml; charset=utf-8", Encoding.UTF8.GetString(output.ToArray()));
    }

    /// <summary>Days that may still change have no tag.</summary>
    private bool IsUnchanged(HttpContext http, RoomVisibility room, string form, params DateOnly[] days)
    {
        http.Response.Headers.CacheControl = "no-cache";
        return days[^1] != room.Days[^1] && PageTags.IsUnchanged(http, tags.Of(room, form, days));
    }

    /// <summary>The newest messages that say something, newest first, as they were last edited.</summary>
    private IEnumerable<(ChatMessage Message, string Name)> Newest(Reader reader, RoomVisibility room) =>
        room.Days.Reverse().Take(FeedDays)
            .SelectMany(day =>
            {
                var events = room.Read(reader, day).ToList();
                var relations = new ChatRelations(events, LaterEvents.Read(room, reader, day, events));
                var messages = new ChatMessages(room, relations, new EventLookup(room, reader), zone, renderer.Text);
                return relations.Lines.Reverse()
                    .Where(e => e is { Stub: null, Original: null } && ChatMessages.IsMessage(e))
                    .Select(e => messages.Create(e) with { Thread = [] });
            })
            .Where(message => message.Body.Value is { Length: > 0 } || message.File is not null)
            .Take(FeedEntries)
            .Select(message => (message, message.Sender.Name));

    /// <summary>A program that shows feeds does not close spoilers.</summary>
    private static string HtmlOf(ChatMessage message) => (message.Body.Value ?? "") is var html
        && html.Contains(SanitizedHtml.SpoilerMark, StringComparison.Ordinal) ? MessageHtml.FromText(message.PlainText).Value! : html;

    private static string Start(ChatMessage message)
    {
        var text = message.File?.Name ?? message.PlainText.ReplaceLineEndings(" ");
        return text.Length <= 80 ? text : $"{text[..79]}…";
    }

    private static void WriteLink(XmlWriter xml, string relation, string address)
    {
        xml.WriteStartElement("link");
        xml.WriteAttributeString("rel", relation);
        xml.WriteAttributeString("href", address);
        xml.WriteEndElement();
    }

    /// <summary>
    /// The scheme and the host of the pages for readers; empty where a proxy forwards the request and does not tell: addresses are relative
    /// then.
    /// </summary>
    private static string OriginOf(HttpContext http)
    {
        var headers = http.Request.Headers;
        var isKnown = !headers.ContainsKey(ForwardedHeadersDefaults.XOriginalForHeaderName)
            || (headers.ContainsKey(ForwardedHeadersDefaults.XOriginalHostHeaderName)
                && headers.ContainsKey(ForwardedHeadersDefaults.XOriginalProtoHeaderName));
        return isKnown && http.Request.Host.HasValue ? $"{http.Request.Scheme}://{http.Request.Host.ToUriComponent()}" : "";
    }

    private static string TimeText(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>Text without what XML can't hold.</summary>
    private static string Valid(string text)
    {
        var valid = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var isValid = rune.Value is '\t' or '\n' or '\r' or (>= 0x20 and not (0xFFFE or 0xFFFF));
            valid.Append(isValid ? rune.ToString() : "\uFFFD");
        }

        return valid.ToString();
    }

    private async Task WriteLinesAsync(HttpContext http, string type, IEnumerable<byte[]> lines)
    {
        http.Response.ContentType = type;
        if (HttpMethods.IsHead(http.Request.Method))
        {
            return;
        }

        using var rest = lines.GetEnumerator();
        using var batch = new MemoryStream();
        while (await WorkAsync(http, () => ValueTask.FromResult(ReadBatch(rest, batch))))
        {
            await http.Response.Body.WriteAsync(batch.GetBuffer().AsMemory(0, (int)batch.Length), http.RequestAborted);
        }
    }

    private static bool ReadBatch(IEnumerator<byte[]> lines, MemoryStream batch)
    {
        batch.SetLength(0);
        while (batch.Length < BatchSize && lines.MoveNext())
        {
            batch.Write(lines.Current);
        }

        return batch.Length > 0;
    }

    /// <summary>Reads and renders a part, in a place of those who do; sending it takes none.</summary>
    private async Task<bool> WorkAsync(HttpContext http, Func<ValueTask<bool>> part)
    {
        using var lease = await work.EnterAsync(http);
        return lease.IsAcquired ? await part() : throw new IOException("Too many requests wait.");
    }
}
