using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class LiveLocationLineTests
{
    [Theory]
    [InlineData(
        """{"live":true,"timeout":900000,"description":"on my \"bike\"","org.matrix.msc3488.ts":1}""",
        "started sharing their live location for 15 minutes: \"on my \\\"bike\\\"\"")]
    [InlineData("""{"live":true,"timeout":28800000}""", "started sharing their live location for 8 hours")]
    [InlineData("""{"live":true,"timeout":3600000}""", "started sharing their live location for 1 hour")]
    [InlineData("""{"live":true,"timeout":30000}""", "started sharing their live location for 30 seconds")]
    [InlineData("""{"live":true}""", "started sharing their live location")]
    [InlineData("""{"live":false,"timeout":900000}""", "stopped sharing their live location")]
    [InlineData("""{"live":true,"timeout":"900000"}""", "started sharing their live location")]
    public void Starting_and_stopping_a_live_location_has_a_sentence(string content, string line)
    {
        Assert.Equal($"*** @bob:x {line}", LineOf.BobsState("m.beacon_info", content));
        Assert.Equal($"*** @bob:x {line}", LineOf.BobsState("org.matrix.msc3672.beacon_info", content));
        Assert.Equal($"*** @bob:x {line}", LineOf.BobsState("org.matrix.msc3489.beacon_info", content));
    }

    [Theory]
    [InlineData(
        "m.beacon", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$e"},"m.location":{"uri":"geo:55.6,13.0;u=35"},"m.ts":1}""",
        "<@bob:x, live location 55.6,13.0;u=35>")]
    [InlineData(
        "org.matrix.msc3672.beacon", """{"org.matrix.msc3488.location":{"uri":"geo:55.6,13.0","description":"the bridge"}}""",
        "<@bob:x, live location 55.6,13.0> the bridge")]
    [InlineData(
        "org.matrix.msc3489.beacon", """{"org.matrix.msc3488.location":{"uri":"the moon> x"}}""",
        "<@bob:x, live location \"the moon> x\">")]
    public void Each_update_of_a_live_location_is_rendered(string type, string content, string line) =>
        Assert.Equal(line, LineOf.Bobs(type, content));

    [Theory]
    [InlineData("""{"live":"yes"}""")]
    [InlineData("""{"live":true,"description":{}}""")]
    [InlineData("{}")]
    [InlineData("[]")]
    public void A_malformed_live_location_is_rendered_by_the_fallback(string content) =>
        Assert.Equal($"*** @bob:x m.beacon_info [\"@bob:x\"] {content}", LineOf.BobsState("m.beacon_info", content));

    [Theory]
    [InlineData("""{"org.matrix.msc3488.location":{}}""")]
    [InlineData("""{"org.matrix.msc3488.location":"geo:1,2"}""")]
    public void A_malformed_location_update_is_rendered_by_the_fallback(string content) =>
        Assert.Equal($"*** @bob:x m.beacon {content}", LineOf.Bobs("m.beacon", content));

    [Fact]
    public void A_live_location_of_another_user_is_rendered_by_the_fallback() =>
        Assert.Equal(
            "*** @bob:x m.beacon_info [\"@alice:x\"] {\"live\":true}",
            LineOf.After(LineOf.Event("@bob:x", "m.beacon_info", "{\"live\":true}", "\"state_key\":\"@alice:x\"")));
}
