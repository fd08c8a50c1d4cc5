using System.Text.Json;

namespace LoggingService.Rendering;

/// <summary>The lines of a call between two people, <c>m.call.*</c>. (Client-Server API, "Voice over IP".)</summary>
internal static class CallLine
{
    // The second prefix is from before the specification.
    public static bool Handles(string type) =>
        type.StartsWith("m.call.", StringComparison.Ordinal) || type.StartsWith("org.matrix.call.", StringComparison.Ordinal);

    /// <summary><c>*** @alice:example.org started a video call</c></summary>
    public static string? Render(RenderContext context) => context.Sentence((content, types) =>
    {
        var id = types.NonEmpty(content["call_id"u8]);
        var invitee = types.NonEmpty(content["invitee"u8]);
        var callee = invitee is null ? "" : $" with {SafeText.UserId(invitee)}";
        var sdp = types.String(types.Object(content["offer"u8])["sdp"u8]);
        var reason = types.NonEmpty(content["reason"u8]);

        // 0 in the first version, "1" in the next.
        var version = content["version"u8];
        var isVersion = !TypeCheck.IsPresent(version) || version.Kind is JsonValueKind.Number or JsonValueKind.String;
        return id is null || !isVersion ? null : context.Event.Type!.Split(".call.", 2)[1] switch
        {
            "invite" => $"started a {(IsVideo(sdp) ? "video" : "voice")} call{callee}",
            "answer" => "answered the call",
            "select_answer" => "was connected to the call",
            "reject" => $"declined the call{DescribeReason(reason)}",
            "hangup" => $"ended the call{DescribeReason(reason)}",
            "candidates" => "sent connection details for the call",
            "negotiate" => "sent a change of the call",
            "sdp_stream_metadata_changed" => "changed what they send in the call",
            "asserted_identity" => "told who is in the call",
            "replaces" => "put the call through to somebody else",
            _ => null,
        };
    });

    /// <summary>The session description contains a video stream. (RFC 8866, "m=".)</summary>
    private static bool IsVideo(string? sdp) =>
        sdp is not null && (sdp.StartsWith("m=video", StringComparison.Ordinal) || sdp.Contains("\nm=video", StringComparison.Ordinal));

    private static string DescribeReason(string? reason) => reason switch
    {
        null or "user_hangup" => "",
        "ice_failed" => " (no connection)",
        "ice_timeout" => " (the connection was lost)",
        "invite_timeout" => " (no answer)",
        "user_busy" => " (busy)",
        "user_media_failed" => " (no camera or microphone)",
        "unknown_error" => " (unknown error)",
        _ => SafeText.QuotedSuffix(reason),
    };
}
