using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using Microsoft.AspNetCore.Html;

namespace LoggingService.Pages;

/// <summary>The body of a message as HTML that is safe to show.</summary>
internal static partial class MessageHtml
{
    /// <summary>Characters of scripts other than Latin are not escaped.</summary>
    public static HtmlEncoder Encoder { get; } = HtmlEncoder.Create(UnicodeRanges.All);

    /// <summary>The HTML of a content, or else its text.</summary>
    /// <param name="body">The text, without what the content repeats of other messages.</param>
    public static HtmlString Of(RawJson content, string body, Text text) =>
        content["format"u8].IsString("org.matrix.custom.html"u8)
        && content["formatted_body"u8].AsString() is { } html
        && SanitizedHtml.TryCreate(html, text, out var safe)
            ? new(safe)
            : FromText(body);

    /// <summary>Plain text, in which addresses of pages are links. Line breaks stay: the style shows them.</summary>
    public static HtmlString FromText(string body)
    {
        var html = new StringBuilder(body.Length + 16);
        var end = 0;
        foreach (Match match in Address().Matches(body))
        {
            // Punctuation at the end belongs to the sentence.
            var address = match.Value.TrimEnd('.', ',', ';', ':', '!', '?', '\'', '"', ')', ']', '}', '>', '…');
            if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            {
                continue;
            }

            html.Append(Encoder.Encode(body[end..match.Index]));
            html.Append($"<a href=\"{Encoder.Encode(address)}\" rel=\"noopener nofollow ugc\">{Encoder.Encode(address)}</a>");
            end = match.Index + address.Length;
        }

        return new(html.Append(Encoder.Encode(body[end..])).ToString());
    }

    [GeneratedRegex(@"\bhttps?://[^\s<>""\p{C}]+")]
    private static partial Regex Address();
}
