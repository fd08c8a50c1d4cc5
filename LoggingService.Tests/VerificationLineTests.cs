using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class VerificationLineTests
{
    [Theory]
    [InlineData(
        """{"msgtype":"m.key.verification.request","body":"@bob:x is requesting to verify","to":"@alice:x","from_device":"D","methods":"""
            + """["m.sas.v1"]}""",
        "<@bob:x, asks @alice:x for verification> @bob:x is requesting to verify")]
    [InlineData("""{"msgtype":"m.key.verification.request","body":"","to":"@a> b:x"}""", "<@bob:x, asks @a%3E%20b:x for verification>")]
    [InlineData("""{"msgtype":"m.key.verification.request","body":""}""", "<@bob:x, asks for verification>")]
    [InlineData(
        """{"msgtype":"m.key.verification.request","body":"x","to":[]}""",
        "*** @bob:x m.room.message {\"msgtype\":\"m.key.verification.request\",\"body\":\"x\",\"to\":[]}")]
    public void A_verification_request_shows_its_recipient(string content, string line) =>
        Assert.Equal(line, LineOf.Bobs("m.room.message", content));

    [Theory]
    [InlineData("ready", "", "is ready for the verification")]
    [InlineData("start", "\"method\":\"m.sas.v1\",", "started the verification")]
    [InlineData("accept", "\"commitment\":\"x\",", "accepted the verification")]
    [InlineData("key", "\"key\":\"secret\",", "sent their key for the verification")]
    [InlineData("mac", "\"mac\":{},", "confirmed the verification")]
    [InlineData("done", "", "finished the verification")]
    [InlineData(
        "cancel", "\"code\":\"m.user\",\"reason\":\"changed my mind\",", "cancelled the verification (m.user): \"changed my mind\"")]
    [InlineData("cancel", "\"code\":\"no code\",", "cancelled the verification (\"no code\")")]
    public void Each_step_of_a_verification_has_a_sentence(string step, string content, string line) =>
        Assert.Equal(
            $"*** @bob:x {line}",
            LineOf.Bobs($"m.key.verification.{step}", $$$"""{{{{content}}}"m.relates_to":{"rel_type":"m.reference","event_id":"$e"}}"""));

    [Theory]
    [InlineData("m.key.verification.done", "[]")]
    [InlineData("m.key.verification.done", """{"m.relates_to":1}""")]
    [InlineData("m.key.verification.cancel", """{"reason":1}""")]
    [InlineData("m.key.verification.unheard_of", """{"a":1}""")]
    public void A_malformed_verification_is_rendered_by_the_fallback(string type, string content) =>
        Assert.Equal($"*** @bob:x {type} {content}", LineOf.Bobs(type, content));
}
