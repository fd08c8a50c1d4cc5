namespace LoggingService.Rendering;

/// <summary>The lines of rooms in a space; without any servers (<c>via</c>) one is removed. (Client-Server API, "Spaces".)</summary>
internal static class SpaceLine
{
    public static bool Child(RenderContext context) => context.Sentence((content, types) =>
    {
        var room = SafeText.RoomId(context.StateKey);
        Phrase suggested = types.Boolean(content["suggested"u8]) == true ? " (suggested)"u8 : ""u8;
        _ = types.String(content["order"u8]);
        return types.Strings(content["via"u8]) switch
        {
            [] => $"removed {room} from the space{context.AgainSuffix}",
            _ when ChangesRelation(context) => $"changed how {room} is shown in the space{suggested}",
            _ => $"added {room} to the space{suggested}{context.AgainSuffix}",
        };
    });

    public static bool Parent(RenderContext context) => context.Sentence((content, types) =>
    {
        var space = SafeText.RoomId(context.StateKey);
        Phrase main = types.Boolean(content["canonical"u8]) == true ? " (its main one)"u8 : ""u8;
        return types.Strings(content["via"u8]) switch
        {
            [] => $"took the room out of the space {space}{context.AgainSuffix}",
            _ when ChangesRelation(context) => $"changed how the room belongs to the space {space}{main}",
            _ => $"put the room into the space {space}{main}{context.AgainSuffix}",
        };
    });

    private static bool ChangesRelation(RenderContext context)
    {
        var previousServers = TypeCheck.Read(context.PreviousContent(), static (content, types) => types.Strings(content["via"u8]));
        return previousServers is { Count: > 0 } && !context.IsUnchanged;
    }
}
