using System.Text.Json;

namespace LoggingService.Rendering;

/// <summary>The text of an extensible event or of a part of one. (Client-Server API, "TextContentBlock"; MSC1767.)</summary>
internal static class TextBlock
{
    /// <summary>
    /// The first plain text representation (the default if there is no <c>mimetype</c>), or else the text of the HTML, or <c>null</c>.
    /// </summary>
    public static Utf8Text? Plain(RawJson owner, TypeCheck types)
    {
        var stable = owner["m.text"u8];
        var unstable = owner["org.matrix.msc1767.text"u8];
        var oldest = owner["org.matrix.msc1767.message"u8];
        return !TypeCheck.IsPresent(stable) && unstable.Kind == JsonValueKind.String
            ? unstable.AsText()
            : FirstPlain(TypeCheck.StableOrUnstable(stable, TypeCheck.StableOrUnstable(unstable, oldest)), types);
    }

    private static Utf8Text? FirstPlain(RawJson representations, TypeCheck types)
    {
        // All are read, so that the types of all are checked.
        Utf8Text? plain = null;
        Utf8Text? html = null;
        foreach (var representation in types.Items(representations).ConvertAll(types.Object))
        {
            var body = types.String(representation["body"u8]);
            switch (types.String(representation["mimetype"u8])?.ToString())
            {
                case null or "text/plain":
                    plain ??= body;
                    break;
                case "text/html":
                    html ??= body;
                    break;
            }
        }

        return (plain is null || Blank.IsBlank(plain.Value.Span, alsoLineBreaks: true)) && html is { } formatted
            ? HtmlText.Convert(formatted.ToString()) ?? plain
            : plain;
    }
}
