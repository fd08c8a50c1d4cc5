using System.Text.Json;

namespace LoggingService.Rendering;

/// <summary>The lines of a call between two people: <c>m.call.*</c>. What only their clients tell each other is named, not shown. (Client-Server API, "Voice over IP".)</summary>
internal static class CallLine
{
    /// <summary>The type is one of a call's, by its name or the one from before it was in the specification.</summary>
    public static bool Handles(string type) => Step(type) is not null;

    /// <summary><c>*** @alice:example.org started a video call</c>; <c>null</c> where content has a wrong type or no <c>call_id</c>.</summary>
    public static string? Render(RenderContext context)
    {
        var types = new TypeCheck();
        var content = context.Event.Content;
        var id = types.NonEmpty(content["call_id"u8]);

        // 0 in the first version, "1" in the next.
        var isVersion = content["version"u8].Kind is JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.Number or JsonValueKind.String;
        var invitee = types.NonEmpty(content["invitee"u8]);
        var sdp = types.String(types.Object(content["offer"u8])["sdp"u8]);
        var reason = types.NonEmpty(content["reason"u8]);
        if (types.Failed || id is null || !isVersion)
        {
            return null;
        }

        var sentence = Step(context.Event.Type!) switch
        {
            "invite" => $"started a {(IsVideo(sdp) ? "video" : "voice")} call{(invitee is null ? "" : $" with {SafeText.UserId(invitee)}")}",
            "answer" => "answered the call",
            "select_answer" => "was connected to the call",
            "reject" => $"declined the call{Because(reason)}",
            "hangup" => $"ended the call{Because(reason)}",
            "candidates" => "sent connection details for the call",
            "negotiate" => "sent a change of the call",
            "sdp_stream_metadata_changed" => "changed what they send in the call",
            "asserted_identity" => "told who is in the call",
            _ => "put the call through to somebody else",
        };
        return $"*** {context.Sender} {sentence}";
    }

    private static string? Step(string type)
    {
        var step = type.StartsWith("m.call.", StringComparison.Ordinal) ? type["m.call.".Length..]
            : type.StartsWith("org.matrix.call.", StringComparison.Ordinal) ? type["org.matrix.call.".Length..]
            : "";
        return step is "invite" or "answer" or "select_answer" or "reject" or "hangup" or "candidates" or "negotiate"
            or "sdp_stream_metadata_changed" or "asserted_identity" or "replaces"
            ? step
            : null;
    }

    /// <summary>A call has a picture when its description has a medium for it, at the beginning of a line. (RFC 8866, "m=".)</summary>
    private static bool IsVideo(string? sdp) =>
        sdp is not null && (sdp.StartsWith("m=video", StringComparison.Ordinal) || sdp.Contains("\nm=video", StringComparison.Ordinal));

    private static string Because(string? reason) => reason switch
    {
        null or "user_hangup" => "",
        "ice_failed" => " (no connection)",
        "ice_timeout" => " (the connection was lost)",
        "invite_timeout" => " (no answer)",
        "user_busy" => " (busy)",
        "user_media_failed" => " (no camera or microphone)",
        "unknown_error" => " (unknown error)",
        _ => $": {SafeText.Quoted(reason)}",
    };
}
