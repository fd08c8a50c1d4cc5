using System.Text;

namespace LoggingService.Consent;

/// <summary>
/// Removes from the content of a reply what it quotes: the lines that its <c>body</c> begins with, <c>mx-reply</c>, and copies of both in
/// other keys. (Client-Server API, "Fallbacks for rich replies", up to v1.12.)
/// </summary>
internal static class ReplyQuote
{
    private const string Start = "<mx-reply>";
    private const string End = "</mx-reply>";

    /// <summary>The content as JSON, without the quotation, also in <c>m.new_content</c>.</summary>
    public static string RemoveFrom(RawJson content)
    {
        var members = content.Members();
        var html = content["formatted_body"u8].AsString() is { } formatted ? FromHtml(formatted) : null;
        var json = new StringBuilder("{");
        foreach (var (name, value) in members)
        {
            var key = name.ToString();
            string? kept = key switch
            {
                "body" when value.AsString() is { } body => Quoted(FromBody(body)),
                "formatted_body" => html is null ? null : Quoted(html),
                "format" when html is null => null,
                "m.new_content" when value.Kind == System.Text.Json.JsonValueKind.Object => RemoveFrom(value),

                // Copies of the body. (MSC1767.)
                "m.text" or "m.html" or "m.message" => null,
                _ when key.StartsWith("org.matrix.msc1767.", StringComparison.Ordinal) => null,
                _ => Encoding.UTF8.GetString(value.Bytes.Span),
            };
            if (kept is not null)
            {
                json.Append(json.Length > 1 ? "," : "").Append($"{Quoted(key)}:{kept}");
            }
        }

        return json.Append('}').ToString();
    }

    /// <summary>A body without the lines that begin with <c>&gt;</c> at its start; that of an edit begins with <c>*</c>.</summary>
    public static string FromBody(string body)
    {
        var mark = body.StartsWith("* >", StringComparison.Ordinal) ? "* " : "";
        var rest = body[mark.Length..];
        if (!rest.StartsWith('>'))
        {
            return body;
        }

        while (rest.StartsWith('>'))
        {
            var end = rest.IndexOf('\n', StringComparison.Ordinal);
            rest = end < 0 ? "" : rest[(end + 1)..];
        }

        return mark + rest.TrimStart('\r', '\n');
    }

    /// <summary><c>null</c> if it may quote in another way.</summary>
    private static string? FromHtml(string html)
    {
        var start = html.IndexOf(Start, StringComparison.OrdinalIgnoreCase);
        var end = html.IndexOf(End, StringComparison.OrdinalIgnoreCase);
        var rest = start >= 0 && end > start ? html[..start] + html[(end + End.Length)..] : html;
        var mayQuote = rest.Contains("mx-reply", StringComparison.OrdinalIgnoreCase)
            || rest.Contains("<blockquote", StringComparison.OrdinalIgnoreCase);
        return mayQuote ? null : rest;
    }

    private static string Quoted(string text) => $"\"{JsonString.Encode(text)}\"";
}
