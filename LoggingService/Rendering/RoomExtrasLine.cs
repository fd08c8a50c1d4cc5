namespace LoggingService.Rendering;

/// <summary>The lines of widgets and image packs; empty content removes one. (MSC1236, MSC2545.)</summary>
internal static class RoomExtrasLine
{
    private sealed record Extra(string? Name, string Details);

    /// <summary>A widget must have an address; without a name it is named by its type.</summary>
    public static string? Widget(RenderContext context) => Render(context, "widget", static (content, types) =>
    {
        var name = types.NonEmpty(content["name"u8]);
        var type = types.NonEmpty(content["type"u8]);
        return types.NonEmpty(content["url"u8]) is { } url ? new(name ?? type, SafeText.QuotedSuffix(url)) : null;
    });

    public static string? ImagePack(RenderContext context) => Render(context, "image pack", static (content, types) =>
    {
        var name = types.NonEmpty(types.Object(content["pack"u8])["display_name"u8]);
        var images = types.Object(content["images"u8]);
        return images.Bytes.IsEmpty ? null : new(name, $" ({Prose.Pluralize(images.Members().Count, "image")})");
    });

    private static string? Render(RenderContext context, string noun, Func<RawJson, TypeCheck, Extra?> read)
    {
        var previous = TypeCheck.Read(context.PreviousContent(), read);
        if (context.HasEmptyContent)
        {
            return $"*** {context.Sender} removed the {noun}{QuotedName(previous)}{context.AgainSuffix}";
        }

        if (TypeCheck.Read(context.Event.Content, read) is not { } current)
        {
            return null;
        }

        var verb = previous is null || context.IsUnchanged ? "set" : "changed";
        return $"*** {context.Sender} {verb} the {noun}{QuotedName(current)}{context.AgainSuffix}{current.Details}";

        string QuotedName(Extra? extra)
        {
            var name = extra?.Name ?? context.Event.StateKey!;
            return name.Length == 0 ? "" : $" {SafeText.Quoted(name)}";
        }
    }
}
