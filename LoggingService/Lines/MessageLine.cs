using System.Text.Json;
using LoggingService.Transactions;

namespace LoggingService.Lines;

/// <summary>The lines of what people say: <c>m.room.message</c> of every msgtype, <c>m.sticker</c>, and <c>m.room.encrypted</c>, of which nothing can be said. (Client-Server API, "Instant Messaging".)</summary>
internal static class MessageLine
{
    /// <summary>The line; <c>null</c> where content has a wrong type or there is no body.</summary>
    public static string? Render(LineSource line)
    {
        var e = line.Event;
        if (line.ArrivedRedacted || IsEmpty(e.Content))
        {
            return $"<{line.Sender}, removed before it was logged>";
        }

        var types = new TypeCheck();
        var relation = Relation.Read(line, types);
        var head = string.Concat(relation.Head.Prepend(line.Sender).Select(static (part, i) => i == 0 ? part : $", {part}"));
        if (e.Type == "m.room.encrypted")
        {
            return types.Failed ? null : $"<{head}, encrypted: cannot be logged>";
        }

        var said = Said(e.Type == "m.sticker", relation, types);
        if (said is not { } words || types.Failed)
        {
            return null;
        }

        var (opening, about, closing, text) = words;
        var space = text.Length == 0 ? "" : " ";
        return $"{opening}{head}{string.Concat(about.Select(static part => $", {part}"))}{closing}{space}{SafeText.Of(text)}";
    }

    private static bool IsEmpty(RawJson content) =>
        content.Kind == JsonValueKind.Object && content.Bytes.Span[1..^1].Trim(" \t\r\n"u8).IsEmpty;

    /// <summary>How a message's head opens, what it says beside the sender, how it closes, and the words after it; <c>null</c> where there is no body.</summary>
    private static (string Opening, IEnumerable<string> About, string Closing, string Text)? Said(bool isSticker, Relation relation, TypeCheck types)
    {
        var content = relation.Content;
        if (types.String(content["body"u8]) is not { } body)
        {
            return null;
        }

        var text = relation.HasFallback ? Relation.WithoutFallback(body) : body;
        var msgtype = isSticker ? null : types.String(content["msgtype"u8]);
        var fileKind = msgtype switch
        {
            null when isSticker => "sticker",
            "m.image" => "image",
            "m.file" => "file",
            "m.audio" when IsVoice() => "voice",
            "m.audio" => "audio",
            "m.video" => "video",
            _ => null,
        };
        if (fileKind is not null)
        {
            return ("<", Attachment.File(fileKind, content, text, types, out var caption), ">", caption);
        }

        return msgtype switch
        {
            "m.text" => ("<", [], ">", text),
            "m.notice" => ("-", [], "-", text),
            "m.emote" => ("* ", [], "", text),
            "m.location" => ("<", [Attachment.Location(content, types)], ">", text),
            "m.server_notice" => ("<", ["server notice"], ">", text),

            // Its words: so it can't be "image cat.png".
            not null => ("<", [$"of type {SafeText.Quoted(msgtype)}"], ">", text),
            null => ("<", ["of no type"], ">", text),
        };

        bool IsVoice() => !content["org.matrix.msc3245.voice"u8].Bytes.IsEmpty || !content["m.voice"u8].Bytes.IsEmpty;
    }
}
