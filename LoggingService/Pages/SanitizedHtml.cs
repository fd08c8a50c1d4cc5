using System.Diagnostics.CodeAnalysis;
using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;

namespace LoggingService.Pages;

/// <summary>
/// The HTML of a message, with the tags and attributes of the specification only. It is parsed as a browser does, and written again element
/// by element: what is not on the lists has no way into the page. (Client-Server API, "m.room.message msgtypes".) Images are shown by
/// their names, colours not at all.
/// </summary>
internal sealed class SanitizedHtml
{
    /// <summary>Before each spoiler, and nowhere else.</summary>
    public const string SpoilerMark = "<label class=\"spoiler\">";

    /// <summary>Longer HTML is not shown: the message's text is.</summary>
    private const int MaxLength = 40_000;
    private const int MaxDepth = 100;

    private static readonly HashSet<string> Inline =
        ["a", "b", "code", "del", "em", "i", "s", "span", "strong", "sub", "sup", "u"];

    private static readonly HashSet<string> Blocks =
    [
        "blockquote", "caption", "details", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol", "p", "pre", "summary", "table", "tbody",
        "td", "th", "thead", "tr", "ul",
    ];

    private static readonly HashSet<string> Void = ["br", "hr"];

    // Their content is no text.
    private static readonly HashSet<string> Dropped =
    [
        "script", "style", "mx-reply", "template", "iframe", "object", "embed", "noscript", "noembed", "noframes", "textarea", "title",
        "svg", "math", "select", "xmp", "plaintext", "audio", "video", "head", "button", "marquee", "applet",
    ];

    private static readonly HashSet<string> Schemes = ["https", "http", "mailto", "matrix", "magnet", "ftp"];

    private static readonly string DroppedElements = string.Join(',', Dropped);

    private readonly StringBuilder _html = new();
    private readonly Text _text;

    private SanitizedHtml(Text text) => _text = text;

    /// <summary>False if the HTML is too long, nested too deep, or shows nothing.</summary>
    public static bool TryCreate(string html, Text text, [NotNullWhen(true)] out string? safe)
    {
        safe = null;
        if (html.Length > MaxLength || !HtmlDepth.IsAtMost(html, MaxDepth))
        {
            return false;
        }

        using var document = new HtmlParser().ParseDocument("<!doctype html><body>" + html);
        foreach (var dropped in document.QuerySelectorAll(DroppedElements))
        {
            dropped.Remove();
        }

        if (document.Body is not { } body || string.IsNullOrWhiteSpace(body.TextContent) && body.QuerySelector("img") is null)
        {
            return false;
        }

        var writer = new SanitizedHtml(text);
        writer.WriteChildren(body, 0);
        safe = writer._html.ToString();
        return true;
    }

    private void WriteChildren(INode parent, int depth)
    {
        foreach (var child in parent.ChildNodes)
        {
            if (child is IText text)
            {
                _html.Append(MessageHtml.Encoder.Encode(text.Data));
            }
            else if (child is IElement element && depth <= MaxDepth * 2)
            {
                WriteElement(element, depth);
            }
        }
    }

    private void WriteElement(IElement element, int depth)
    {
        var name = element.LocalName;
        if (name == "img")
        {
            var alt = element.GetAttribute("alt") ?? element.GetAttribute("title");
            _html.Append(MessageHtml.Encoder.Encode(string.IsNullOrWhiteSpace(alt) ? _text.ImageWithoutText : alt));
        }
        else if (Void.Contains(name))
        {
            _html.Append($"<{name}>");
        }
        else if (name == "span" && element.HasAttribute("data-mx-spoiler"))
        {
            WriteSpoiler(element, depth);
        }
        else if (Inline.Contains(name) || Blocks.Contains(name))
        {
            // Headings of messages are none of the page. No p: a browser would end it at a block within.
            var written = name is ['h', >= '1' and <= '6'] ? "div" : name;
            _html.Append($"<{written}{AttributesOf(element, name)}>");
            WriteChildren(element, depth + 1);
            _html.Append($"</{written}>");
        }
        else
        {
            WriteChildren(element, depth + 1);
        }
    }

    private static string AttributesOf(IElement element, string name) => name switch
    {
        "a" when element.GetAttribute("href") is { } href && IsAllowed(href) =>
            $" href=\"{MessageHtml.Encoder.Encode(href.Trim())}\" rel=\"noopener nofollow ugc\"",
        "ol" when int.TryParse(element.GetAttribute("start"), out var start) => $" start=\"{start}\"",
        ['h', >= '1' and <= '6'] => " class=\"heading\"",
        _ => "",
    };

    private static bool IsAllowed(string href) =>
        Uri.TryCreate(href.Trim(), UriKind.Absolute, out var uri) && Schemes.Contains(uri.Scheme) && !href.Trim().StartsWith('/');

    /// <summary>Closed until its box is checked, without a script; what is hidden is hidden from screen readers, too.</summary>
    private void WriteSpoiler(IElement element, int depth)
    {
        var reason = element.GetAttribute("data-mx-spoiler");
        var label = string.IsNullOrWhiteSpace(reason) ? _text.Spoiler : $"{_text.Spoiler}: {reason}";
        _html.Append(SpoilerMark).Append("<input type=\"checkbox\"><span class=\"reason\">");
        _html.Append(MessageHtml.Encoder.Encode(label)).Append("</span> <span class=\"hidden\">");
        WriteChildren(element, depth + 1);
        _html.Append("</span></label>");
    }
}
