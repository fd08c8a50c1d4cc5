using System.Text.Json;

namespace LoggingService.Rendering;

/// <summary>The lines of the service itself.</summary>
internal static class NoteLine
{
    /// <summary>The members that the line names; the record names all.</summary>
    private const int MaxNames = 20;

    /// <summary>False for a note of a newer version.</summary>
    public static bool Render(RenderContext context) => context.Event.Type switch
    {
        Note.LoggingStopped => context.Write("*** logging stopped: the last alias is gone"u8),
        Note.LoggingResumed => context.Write("*** logging resumed: the room has an alias again"u8),
        Note.NoticeSent => context.Write("*** a notice in the room says that it is logged"u8),
        Note.WishesChanged => context.Write($"*** {SenderOf(context)} set how the room is logged: {DescribeWishes(context.Event.Content)}"),
        Note.WishesRefused => context.Write($"*** {SenderOf(context)} wants to set how the room is logged, and may not"),
        Note.EventsFetched => Fetched(context),
        Note.EventsMissing => context.Write($"*** events between {Time(context, "from"u8)} and {Time(context, "to"u8)} may be missing"),
        Note.AliasAdded => TypeCheck.Read(context.Event.Content, AddedAlias) is { } added && context.Write(added),
        Note.AliasRemoved => TypeCheck.Read(context.Event.Content, RemovedAlias) is { } removed && context.Write(removed),
        Note.ServiceRemoved => TypeCheck.Read(context.Event.Content, Removal) is { } removal && context.Write(removal),
        Note.EncryptionEnabled => context.Write("*** logging has ended in effect: messages are encrypted from here on"u8),
        Note.RoomUpgraded => WriteRoom(context, "*** the room goes on as "u8, "replacement_room"u8, ""u8),
        Note.UpgradedFrom => WriteRoom(context, "*** the room goes on from "u8, "predecessor"u8, ""u8),
        Note.UpgradeFailed => WriteRoom(
            context, "*** the replacement "u8, "replacement_room"u8, " cannot be joined: it is logged if an alias leads to it"u8),
        Note.UpgradeRefused => WriteRoom(
            context, "*** the replacement "u8, "replacement_room"u8, " does not name this room as its predecessor: it is not followed"u8),
        Note.FirstState => TypeCheck.Read(context.Event.Content, State) is { } state && context.Write(state),
        Note.FirstMembers => TypeCheck.Read(context.Event.Content, Members) is { } members && context.Write(members),
        _ => false,
    };

    private static SafeText SenderOf(RenderContext context) => SafeText.UserId(context.Event.Content["sender"u8].AsText());

    private static Phrase DescribeWishes(RawJson wishes)
    {
        Phrase? notice = wishes["notice"u8].AsBoolean() is { } isOn ? isOn ? "with a notice"u8 : "without a notice"u8 : Phrase.None;
        Phrase? prefix = wishes["no_log_prefix"u8].AsText() is { } text ? $"not what begins with {SafeText.Quoted(text)}"
            : wishes["no_log_prefix"u8].Kind == JsonValueKind.Null ? "not what begins with a prefix, erased"u8
            : Phrase.None;
        var redactions = wishes["redactions"u8].AsText() is { } mode
            ? mode.Span.SequenceEqual("erase"u8) ? "without removed messages"u8 : (Phrase)"with removed messages"u8
            : Phrase.None;
        var paused = wishes["paused"u8].AsBoolean() == true ? "paused"u8 : Phrase.None;
        return Prose.Join([paused, prefix, redactions, notice]) ?? "by the service's settings"u8;
    }

    private static bool Fetched(RenderContext context)
    {
        var count = context.Event.Content["count"u8].AsInteger() ?? 0;
        var from = Time(context, "from"u8);
        return count == 1
            ? context.Write($"*** 1 event from {from} was fetched later")
            : context.Write($"*** {count} events from {from} to {Time(context, "to"u8)} were fetched later");
    }

    private static Phrase Time(RenderContext context, ReadOnlySpan<byte> name) =>
        context.FormatTime(context.Event.Content[name].AsInteger() ?? 0);

    private static bool WriteRoom(RenderContext context, ReadOnlySpan<byte> before, ReadOnlySpan<byte> key, ReadOnlySpan<byte> after) =>
        context.Event.Content[key].AsText() is { } room && context.Write($"{before}{SafeText.RoomId(room)}{after}");

    private static Phrase? Removal(RawJson content, TypeCheck types)
    {
        Phrase verb = content["membership"u8].IsString("ban"u8) ? "banned"u8 : "kicked"u8;
        Phrase by = types.NonEmpty(content["by"u8]) is { } user ? $" by {SafeText.UserId(user)}" : ""u8;
        return $"*** the service was {verb}{by}: the room is logged while it has a logged alias";
    }

    private static Phrase? State(RawJson content, TypeCheck types)
    {
        Phrase?[] parts =
        [
            types.NonEmpty(content["name"u8]) is { } name ? $"the name {SafeText.Quoted(name)}" : Phrase.None,
            types.NonEmpty(content["topic"u8]) is { } topic ? $"the topic {SafeText.Quoted(topic)}" : Phrase.None,
            types.Integer(content["members"u8]) is { } members ? Prose.Pluralize(members, "member"u8) : Phrase.None,
        ];
        return Prose.Join(parts) is { } list ? $"*** when logging began the room had {list}" : Phrase.None;
    }

    private static Phrase? Members(RawJson content, TypeCheck types)
    {
        var members = types.Object(content["members"u8]).Members();
        if (members.Count == 0)
        {
            return "*** members then: erased"u8;
        }

        var shown = members.Take(MaxNames).Select(member => member.Value.AsText() is { Length: > 0 } name
            ? (Phrase?)$"{SafeText.UserId(member.Key)} {SafeText.Quoted(name)}"
            : SafeText.UserId(member.Key));
        Phrase more = members.Count > MaxNames ? $" and {members.Count - MaxNames} more" : ""u8;
        return $"*** members then: {Prose.List(shown)}{more}";
    }

    private static Phrase? AddedAlias(RawJson content, TypeCheck types)
    {
        if (types.NonEmpty(content["alias"u8]) is not { } alias)
        {
            return null;
        }

        if (types.NonEmpty(content["previous_room"u8]) is { } previous)
        {
            return $"*** the alias {SafeText.RoomAlias(alias)} was moved here from {SafeText.RoomId(previous)}";
        }

        return $"*** the room got the alias {SafeText.RoomAlias(alias)}";
    }

    private static Phrase? RemovedAlias(RawJson content, TypeCheck types)
    {
        if (types.NonEmpty(content["alias"u8]) is not { } alias)
        {
            return null;
        }

        if (types.NonEmpty(content["room"u8]) is { } room)
        {
            return $"*** the alias {SafeText.RoomAlias(alias)} was moved to {SafeText.RoomId(room)}";
        }

        return $"*** the alias {SafeText.RoomAlias(alias)} was removed";
    }
}
