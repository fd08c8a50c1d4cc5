using System.Text.Json;
using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>
/// The plain text of an extensible event or of a part of one (a poll's question, an answer, a caption): <c>m.text</c>,
/// a list of representations; or the names and shapes that clients wrote before it was in the specification.
/// (Client-Server API, "TextContentBlock"; MSC1767.)
/// </summary>
internal static class TextBlock
{
    /// <summary>The first representation that is plain text (one without a <c>mimetype</c> is); <c>null</c> where there is none.</summary>
    public static string? Plain(RawJson owner, TypeCheck types)
    {
        var unstable = owner["org.matrix.msc1767.text"u8];
        return !TypeCheck.IsPresent(owner["m.text"u8]) && unstable.Kind == JsonValueKind.String
            ? unstable.AsString()
            : First(TypeCheck.StableOrUnstable(owner["m.text"u8], TypeCheck.StableOrUnstable(unstable, owner["org.matrix.msc1767.message"u8])), types);
    }

    private static string? First(RawJson representations, TypeCheck types)
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
