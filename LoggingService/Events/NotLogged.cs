namespace LoggingService.Events;

/// <summary>
/// Events that were not logged as they were pushed, at a sender's wish. Their record line has a key <c>not_logged</c> before
/// <c>received_ts</c>: <c>true</c> where the content was left out, <c>"quote"</c> where only the quotation of such an event was. A
/// sender who adds the key hides nothing: it counts for an event without content only.
/// </summary>
internal static class NotLogged
{
    public const string Key = "not_logged";
    public const string Quote = "quote";

    /// <summary>The content of the event was left out.</summary>
    public static bool IsStub(RoomEvent e) =>
        e is { IsNote: false, StateKeyText: null } && e.Content.IsEmptyObject && e.Json["not_logged"u8].AsBoolean() == true;

    /// <summary>The event is a reply to a stub; the quotation was removed if there was one.</summary>
    public static bool IsWithoutQuote(RoomEvent e) => e.Json["not_logged"u8].IsString("quote"u8);
}
