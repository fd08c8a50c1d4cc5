namespace LoggingService.Rendering;

/// <param name="Opening">Opens the head: <c>&lt;</c> for most, <c>-</c> for a notice, <c>* </c> for an emote.</param>
/// <param name="Details">Parts of the head: <c>image cat.png</c>, <c>640×480</c>.</param>
/// <param name="Text">The sender's text after the head, not yet escaped; may be empty.</param>
internal readonly record struct MessageContent(string Opening, IEnumerable<string> Details, string Closing, string Text)
{
    public static MessageContent Plain(string text, params IEnumerable<string> details) => new("<", details, ">", text);

    public static MessageContent Notice(string text) => new("-", [], "-", text);

    public static MessageContent Emote(string text) => new("* ", [], "", text);
}
