using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The lines of a room's turns: it is created, encrypted, replaced. (Client-Server API, <c>m.room.create</c>, <c>m.room.encryption</c>, <c>m.room.tombstone</c>.)</summary>
internal static class RoomLifeLine
{
    /// <summary>The line of <c>m.room.create</c>; <c>null</c> where content has a wrong type.</summary>
    public static string? Create(RenderContext context)
    {
        var types = new TypeCheck();
        var content = types.Object(context.Event.Content);
        var type = types.NonEmpty(content["type"u8]);
        var creator = types.NonEmpty(content["creator"u8]);
        var others = types.Strings(content["additional_creators"u8]);
        var upgradedFrom = types.NonEmpty(types.Object(content["predecessor"u8])["room_id"u8]);
        var isFederated = types.Boolean(content["m.federate"u8]) ?? true;

        // Without one it is the first version; but up to version 10 a redaction takes it out.
        var version = types.NonEmpty(content["room_version"u8]) ?? (context.ArrivedRedacted ? null : "1");
        if (types.Failed || content.Bytes.IsEmpty)
        {
            return null;
        }

        var about = new List<string>();
        Add(version is not null, () => $"version {DescribeVersion(version!)}");
        Add(type is not null and not "m.space", () => $"of type {SafeText.Quoted(type!)}");
        Add(upgradedFrom is not null, () => $"upgraded from {SafeText.RoomId(upgradedFrom!)}");
        Add(creator is not null && creator != context.Event.Sender, () => $"creator {SafeText.UserId(creator)}");
        Add(others.Count > 0, () => $"together with {Prose.Join([.. others.Select(SafeText.UserId)])}");
        Add(!isFederated, () => "closed to other servers");
        var details = about.Count == 0 ? "" : $" ({Prose.List(about)})";
        return $"*** {context.Sender} created the {(type == "m.space" ? "space" : "room")}{details}{context.RedactedSuffix}";

        void Add(bool isSo, Func<string> words)
        {
            if (isSo)
            {
                about.Add(words());
            }
        }
    }

    /// <summary>The line of <c>m.room.encryption</c>; <c>null</c> where content has a wrong type or names no algorithm. It can't be switched off.</summary>
    public static string? Encryption(RenderContext context)
    {
        if (TypeCheck.Read(context.Event.Content, Algorithm) is null)
        {
            return null;
        }

        var sentence = TypeCheck.Read(context.PreviousContent(), Algorithm) is null ? "switched encryption on: messages can no longer be logged"
            : context.IsUnchanged ? "switched encryption on again (nothing changed): messages still cannot be logged"
            : "changed the settings of encryption: messages still cannot be logged";
        return $"*** {context.Sender} {sentence}";

        static string? Algorithm(RawJson content, TypeCheck types) => types.NonEmpty(content["algorithm"u8]);
    }

    /// <summary>The line of <c>m.room.tombstone</c>; <c>null</c> where content has a wrong type or says nothing.</summary>
    public static string? Tombstone(RenderContext context)
    {
        var types = new TypeCheck();
        var body = types.NonEmpty(context.Event.Content["body"u8]);
        var replacement = types.NonEmpty(context.Event.Content["replacement_room"u8]);
        if (types.Failed || (body ?? replacement) is null)
        {
            return null;
        }

        var what = replacement is null ? "closed the room" : $"upgraded the room to {SafeText.RoomId(replacement)}";
        return $"*** {context.Sender} {what}{(body is null ? "" : $": {SafeText.Quoted(body)}")}";
    }

    /// <summary>A room version as it is where it has only the characters that the specification recommends. (Client-Server API, "Room versions".)</summary>
    private static string DescribeVersion(string version) => version.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-') ? version : SafeText.Quoted(version);
}
