namespace LoggingService.Rendering;

/// <summary>The lines of the service itself.</summary>
internal static class NoteLine
{
    /// <summary>False for a note of a newer version.</summary>
    public static bool Render(RenderContext context) => context.Event.Type switch
    {
        Note.LoggingStopped => context.Write("*** logging stopped: the last alias is gone"u8),
        Note.LoggingResumed => context.Write("*** logging resumed: the room has an alias again"u8),
        Note.NoticeSent => context.Write("*** the room was told by a notice that it is logged"u8),
        _ => false,
    };
}
