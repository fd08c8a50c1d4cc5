using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The lines of what clients put beside a room's messages: widgets and image packs. Empty content takes one away. (MSC1236, MSC2545.)</summary>
internal static class RoomExtrasLine
{
    /// <summary>A widget's or pack's name, and what there must be for it to be one.</summary>
    private sealed record Extra(string? Name, string Rest);

    /// <summary>The line of <c>im.vector.modular.widgets</c> and <c>m.widget</c>; <c>null</c> where content has a wrong type or no address.</summary>
    public static string? Widget(RenderContext context) => Render(context, "widget", static (content, types) =>
    {
        // Without a name it is known by its type.
        var name = types.NonEmpty(content["name"u8]);
        var type = types.NonEmpty(content["type"u8]);
        return types.NonEmpty(content["url"u8]) is { } url ? new(name ?? type, $": {SafeText.Quoted(url)}") : null;
    });

    /// <summary>The line of <c>m.room.image_pack</c> and <c>im.ponies.room_emotes</c>; <c>null</c> where content has a wrong type or no images.</summary>
    public static string? ImagePack(RenderContext context) => Render(context, "image pack", static (content, types) =>
    {
        var name = types.NonEmpty(types.Object(content["pack"u8])["display_name"u8]);
        var images = types.Object(content["images"u8]);
        return images.Bytes.IsEmpty ? null : new(name, $" ({Prose.Pluralize(images.Members().Count, "image")})");
    });

    private static string? Render(RenderContext context, string what, Func<RawJson, TypeCheck, Extra?> read)
    {
        var before = TypeCheck.Read(context.PreviousContent(), read);
        var again = context.IsUnchanged ? " again (nothing changed)" : "";
        if (context.HasEmptyContent)
        {
            return $"*** {context.Sender} removed the {what}{Named(before)}{again}";
        }

        return TypeCheck.Read(context.Event.Content, read) is { } now
            ? $"*** {context.Sender} {(before is null || again.Length > 0 ? "set" : "changed")} the {what}{Named(now)}{again}{now.Rest}"
            : null;

        string Named(Extra? extra) => (extra?.Name ?? context.Event.StateKey!) is { Length: > 0 } name ? $" {SafeText.Quoted(name)}" : "";
    }
}
