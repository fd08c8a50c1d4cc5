namespace LoggingService.Rendering;

/// <summary>The lines of which rooms belong to a space. The other room is the state key; without servers to join it by, it doesn't belong. (Client-Server API, "Spaces".)</summary>
internal static class SpaceLine
{
    /// <summary>The line of <c>m.space.child</c>; <c>null</c> where content has a wrong type.</summary>
    public static string? Child(RenderContext context)
    {
        var suggested = false;
        var now = TypeCheck.Read(context.Event.Content, (content, types) =>
        {
            suggested = types.Boolean(content["suggested"u8]) ?? false;
            types.String(content["order"u8]);
            return types.Strings(content["via"u8]);
        });
        var room = SafeText.RoomId(context.Event.StateKey!);
        var again = context.IsUnchanged ? " again (nothing changed)" : "";
        var sentence = (HadServers(context), now) switch
        {
            (_, null) => null,
            (_, []) => $"removed {room} from the space{again}",
            (true, _) when again.Length == 0 => $"changed how {room} is shown in the space{(suggested ? " (suggested)" : "")}",
            _ => $"added {room} to the space{(suggested ? " (suggested)" : "")}{again}",
        };
        return sentence is null ? null : $"*** {context.Sender} {sentence}";
    }

    /// <summary>The line of <c>m.space.parent</c>; <c>null</c> where content has a wrong type.</summary>
    public static string? Parent(RenderContext context)
    {
        var isMain = false;
        var now = TypeCheck.Read(context.Event.Content, (content, types) =>
        {
            isMain = types.Boolean(content["canonical"u8]) ?? false;
            return types.Strings(content["via"u8]);
        });
        var space = SafeText.RoomId(context.Event.StateKey!);
        var again = context.IsUnchanged ? " again (nothing changed)" : "";
        var sentence = (HadServers(context), now) switch
        {
            (_, null) => null,
            (_, []) => $"took the room out of the space {space}{again}",
            (true, _) when again.Length == 0 => $"changed how the room belongs to the space {space}{(isMain ? " (its main one)" : "")}",
            _ => $"put the room into the space {space}{(isMain ? " (its main one)" : "")}{again}",
        };
        return sentence is null ? null : $"*** {context.Sender} {sentence}";
    }

    private static bool HadServers(RenderContext context) =>
        TypeCheck.Read(context.PreviousContent(), static (content, types) => types.Strings(content["via"u8])) is { Count: > 0 };
}
