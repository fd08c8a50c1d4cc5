namespace LoggingService.Rendering;

/// <param name="Details">The last part of the head: <c>image cat.png, 640×480</c>; <c>null</c> for most messages.</param>
/// <param name="Text">The sender's text after the head, not yet escaped; may be empty.</param>
internal readonly record struct MessageContent(MessageForm Form, Phrase? Details, Utf8Text Text)
{
    public static MessageContent Plain(Utf8Text text, Phrase? details = null) => new(MessageForm.Plain, details, text);

    public static MessageContent Notice(Utf8Text text) => new(MessageForm.Notice, null, text);

    public static MessageContent Emote(Utf8Text text) => new(MessageForm.Emote, null, text);
}
