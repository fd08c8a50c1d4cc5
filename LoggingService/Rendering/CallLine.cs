using System.Text.Json;

namespace LoggingService.Rendering;

/// <summary>The lines of a call between two people, <c>m.call.*</c>. (Client-Server API, "Voice over IP".)</summary>
internal static class CallLine
{
    // The second prefix is from before the specification.
    public static bool Handles(string type) =>
        type.StartsWith("m.call.", StringComparison.Ordinal) || type.StartsWith("org.matrix.call.", StringComparison.Ordinal);

    /// <summary><c>*** @alice:example.org started a video call</c></summary>
    public static bool Render(RenderContext context) => context.Sentence((content, types) =>
    {
        var id = types.NonEmpty(content["call_id"u8]);
        var invitee = types.NonEmpty(content["invitee"u8]);
        Phrase? callee = invitee is null ? Phrase.None : $" with {SafeText.UserId(invitee)}";
        var sdp = types.String(types.Object(content["offer"u8])["sdp"u8]) ?? default;
        var reason = types.NonEmpty(content["reason"u8]);

        // 0 in the first version, "1" in the next.
        var version = content["version"u8];
        var isVersion = !TypeCheck.IsPresent(version) || version.Kind is JsonValueKind.Number or JsonValueKind.String;
        return id is null || !isVersion ? Phrase.None : context.Event.Type!.Split(".call.", 2)[1] switch
        {
            "invite" => $"started a {(IsVideo(sdp) ? "video"u8 : "voice"u8)} call{callee}",
            "answer" => "answered the call"u8,
            "select_answer" => "was connected to the call"u8,
            "reject" => $"declined the call{DescribeReason(reason)}",
            "hangup" => $"ended the call{DescribeReason(reason)}",
            "candidates" => "sent connection details for the call"u8,
            "negotiate" => "sent a change of the call"u8,
            "sdp_stream_metadata_changed" => "changed what they send in the call"u8,
            "asserted_identity" => "told who is in the call"u8,
            "replaces" => "put the call through to somebody else"u8,
            _ => Phrase.None,
        };
    });

    /// <summary>The session description contains a video stream. (RFC 8866, "m=".)</summary>
    private static bool IsVideo(Utf8Text sdp) => sdp.StartsWith("m=video"u8) || sdp.Span.IndexOf("\nm=video"u8) >= 0;

    private static Phrase DescribeReason(Utf8Text? reason) => reason?.ToString() switch
    {
        null or "user_hangup" => ""u8,
        "ice_failed" => " (no connection)"u8,
        "ice_timeout" => " (the connection was lost)"u8,
        "invite_timeout" => " (no answer)"u8,
        "user_busy" => " (busy)"u8,
        "user_media_failed" => " (no camera or microphone)"u8,
        "unknown_error" => " (unknown error)"u8,
        _ => SafeText.QuotedSuffix(reason),
    };
}
