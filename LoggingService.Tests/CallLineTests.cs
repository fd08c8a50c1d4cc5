using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class CallLineTests
{
    [Theory]
    [InlineData("m.call.invite", "\"offer\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\nm=audio 9\\r\\n\"}", "started a voice call")]
    [InlineData(
        "m.call.invite", "\"offer\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\nm=audio 9\\r\\nm=video 9\\r\\n\"}", "started a video call")]
    [InlineData(
        "m.call.invite", "\"offer\":{\"sdp\":\"v=0\\r\\ns=m=video\\r\\n\"},\"invitee\":\"@alice:x\"", "started a voice call with @alice:x")]
    [InlineData("m.call.answer", "\"answer\":{\"type\":\"answer\",\"sdp\":\"v=0\"}", "answered the call")]
    [InlineData("m.call.select_answer", "\"selected_party_id\":\"D\"", "was connected to the call")]
    [InlineData("m.call.reject", "\"party_id\":\"D\"", "declined the call")]
    [InlineData("m.call.reject", "\"reason\":\"user_busy\"", "declined the call (busy)")]
    [InlineData("m.call.hangup", "\"party_id\":\"D\"", "ended the call")]
    [InlineData("m.call.hangup", "\"reason\":\"user_hangup\"", "ended the call")]
    [InlineData("m.call.hangup", "\"reason\":\"ice_failed\"", "ended the call (no connection)")]
    [InlineData("m.call.hangup", "\"reason\":\"ice_timeout\"", "ended the call (the connection was lost)")]
    [InlineData("m.call.hangup", "\"reason\":\"invite_timeout\"", "ended the call (no answer)")]
    [InlineData("m.call.hangup", "\"reason\":\"user_media_failed\"", "ended the call (no camera or microphone)")]
    [InlineData("m.call.hangup", "\"reason\":\"unknown_error\"", "ended the call (unknown error)")]
    [InlineData("m.call.hangup", "\"reason\":\"my \\\"cat\\\"\"", "ended the call: \"my \\\"cat\\\"\"")]
    [InlineData("m.call.candidates", "\"candidates\":[]", "sent connection details for the call")]
    [InlineData("m.call.negotiate", "\"description\":{}", "sent a change of the call")]
    [InlineData("m.call.sdp_stream_metadata_changed", "\"sdp_stream_metadata\":{}", "changed what they send in the call")]
    [InlineData("org.matrix.call.sdp_stream_metadata_changed", "\"sdp_stream_metadata\":{}", "changed what they send in the call")]
    [InlineData("org.matrix.call.asserted_identity", "\"asserted_identity\":{}", "told who is in the call")]
    [InlineData("m.call.replaces", "\"target_user\":{}", "put the call through to somebody else")]
    public void Each_step_of_a_call_has_a_sentence(string type, string content, string line)
    {
        Assert.Equal($"*** @bob:x {line}", LineOf.Bobs(type, $$"""{"call_id":"1","version":"1",{{content}}}"""));
        Assert.Equal($"*** @bob:x {line}", LineOf.Bobs(type, $$"""{"call_id":"1","version":0,{{content}}}"""));
    }

    [Theory]
    [InlineData("m.call.hangup", """{"version":"1"}""")]
    [InlineData("m.call.hangup", """{"call_id":1,"version":"1"}""")]
    [InlineData("m.call.hangup", """{"call_id":"1","version":[]}""")]
    [InlineData("m.call.hangup", """{"call_id":"1","version":"1","reason":["x"]}""")]
    [InlineData("m.call.invite", """{"call_id":"1","version":"1","offer":"v=0"}""")]
    [InlineData("m.call.invite", """{"call_id":"1","version":"1","offer":{"sdp":5}}""")]
    [InlineData("m.call.invite", """{"call_id":"1","version":"1","invitee":{}}""")]
    [InlineData("m.call.hangup", "[]")]
    [InlineData("m.call.unheard_of", """{"call_id":"1","version":"1"}""")]
    public void A_malformed_call_event_is_rendered_by_the_fallback(string type, string content) =>
        Assert.Equal($"*** @bob:x {type} {content}", LineOf.Bobs(type, content));
}
