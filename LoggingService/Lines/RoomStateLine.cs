using LoggingService.Transactions;

namespace LoggingService.Lines;

/// <summary>The lines of what a room is called and what it is about. (Client-Server API, "Room Events".)</summary>
internal static class RoomStateLine
{
    /// <summary>The line of <c>m.room.name</c>; <c>null</c> where content has a wrong type. A name that is missing or empty is removed.</summary>
    public static string? Name(LineSource line)
    {
        var types = new TypeCheck();
        var name = types.NonEmpty(line.Event.Content["name"u8]);
        if (types.Failed || line.ArrivedRedacted)
        {
            return null;
        }

        var before = line.PreviousContent()["name"u8].AsString() is { Length: > 0 } earlier ? earlier : null;
        return (before, name) switch
        {
            (null, null) => $"*** {line.Sender} removed the room name",
            (not null, null) => $"*** {line.Sender} removed the room name {SafeText.Quoted(before)}",
            (not null, not null) when before != name => $"*** {line.Sender} changed the room name from {SafeText.Quoted(before)} to {SafeText.Quoted(name)}",
            (_, not null) => $"*** {line.Sender} set the room name to {SafeText.Quoted(name)}",
        };
    }

    /// <summary>The line of <c>m.room.topic</c>; <c>null</c> where content has a wrong type. The plain text of <c>m.topic</c> comes before <c>topic</c>.</summary>
    public static string? Topic(LineSource line)
    {
        var types = new TypeCheck();
        var content = line.Event.Content;
        var topic = PlainText(types.Object(content["m.topic"u8])["m.text"u8]) ?? types.NonEmpty(content["topic"u8]);
        if (types.Failed || line.ArrivedRedacted)
        {
            return null;
        }

        return topic is null ? $"*** {line.Sender} removed the topic" : $"*** {line.Sender} set the topic to {SafeText.Quoted(topic)}";
    }

    /// <summary>The first representation that is plain text; one without a type is. (Client-Server API, <c>m.room.topic</c>, TextContentBlock.)</summary>
    private static string? PlainText(RawJson representations)
    {
        foreach (var text in representations.Items())
        {
            if (text["mimetype"u8].AsString() is null or "text/plain" && text["body"u8].AsString() is { Length: > 0 } body)
            {
                return body;
            }
        }

        return null;
    }
}
