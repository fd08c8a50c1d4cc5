using System.Text.Json;
using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>
/// The text of an extensible event or of a part of one (a poll's question, an answer, a caption): <c>m.text</c>, a list of
/// representations, or one of the older names and forms. (Client-Server API, "TextContentBlock"; MSC1767.)
/// </summary>
internal static class TextBlock
{
    /// <summary>The first plain text representation (the default if there is no <c>mimetype</c>), or <c>null</c>.</summary>
    public static string? Plain(RawJson owner, TypeCheck types)
    {
        var stable = owner["m.text"u8];
        var unstable = owner["org.matrix.msc1767.text"u8];
        var oldest = owner["org.matrix.msc1767.message"u8];
        return !TypeCheck.IsPresent(stable) && unstable.Kind == JsonValueKind.String
            ? unstable.AsString()
            : FirstPlain(TypeCheck.StableOrUnstable(stable, TypeCheck.StableOrUnstable(unstable, oldest)), types);
    }

    private static string? FirstPlain(RawJson representations, TypeCheck types)
    {
        string? first = null;
        foreach (var item in types.Items(representations))
        {
            var representation = types.Object(item);
            var isPlain = types.String(representation["mimetype"u8]) is null or "text/plain";
            var body = types.String(representation["body"u8]);
            first ??= isPlain ? body : null;
        }

        return first;
    }
}
