namespace LoggingService.Rendering;

/// <summary>The lines of widgets and image packs; empty content removes one. (MSC1236, MSC2545.)</summary>
internal static class RoomExtrasLine
{
    private sealed record Extra(Utf8Text? Name, Phrase Details);

    /// <summary>A widget must have an address; without a name it is named by its type.</summary>
    public static bool Widget(RenderContext context) => Render(context, "widget"u8, static (content, types) =>
    {
        var name = types.NonEmpty(content["name"u8]);
        var type = types.NonEmpty(content["type"u8]);
        return types.NonEmpty(content["url"u8]) is { } url ? new Extra(name ?? type, SafeText.QuotedSuffix(url)) : null;
    });

    public static bool ImagePack(RenderContext context) => Render(context, "image pack"u8, static (content, types) =>
    {
        var name = types.NonEmpty(types.Object(content["pack"u8])["display_name"u8]);
        var images = types.Object(content["images"u8]);
        return images.Bytes.IsEmpty ? null : new Extra(name, $" ({Prose.Pluralize(images.Members().Count, "image"u8)})");
    });

    private static bool Render(RenderContext context, ReadOnlySpan<byte> noun, Func<RawJson, TypeCheck, Extra?> read)
    {
        var previous = TypeCheck.Read(context.PreviousContent(), read);
        if (context.HasEmptyContent)
        {
            return context.Write($"*** {context.Sender} removed the {noun}{QuotedName(previous)}{context.AgainSuffix}");
        }

        if (TypeCheck.Read(context.Event.Content, read) is not { } current)
        {
            return false;
        }

        var verb = previous is null || context.IsUnchanged ? "set"u8 : "changed"u8;
        return context.Write($"*** {context.Sender} {verb} the {noun}{QuotedName(current)}{context.AgainSuffix}{current.Details}");

        Phrase? QuotedName(Extra? extra)
        {
            var name = extra?.Name ?? context.StateKey;
            return name.Length == 0 ? Phrase.None : $" {SafeText.Quoted(name)}";
        }
    }
}
