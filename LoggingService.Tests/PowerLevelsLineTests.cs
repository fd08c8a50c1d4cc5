using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class PowerLevelsLineTests
{
    [Theory]
    [InlineData("""{"users":{"@c:x":50}}""", """{"users":{}}""", "@c:x 0 → 50")]
    [InlineData("""{"users":{"@c:x":50}}""", """{}""", "@c:x 0 → 50")]
    [InlineData("""{"users":{"@c:x":100,"@d:x":-1}}""", """{"users":{"@c:x":50}}""", "@c:x 50 → 100, @d:x 0 → -1")]
    [InlineData("""{"users":{}}""", """{"users":{"@c:x":50}}""", "@c:x 50 → 0")]
    [InlineData("""{"users":{"@c:x":50},"users_default":10}""", """{"users":{},"users_default":10}""", "@c:x 10 → 50")]
    [InlineData("""{"users_default":10}""", """{}""", "everyone else 0 → 10")]
    [InlineData("""{"events_default":50}""", """{}""", "to send messages 0 → 50")]
    [InlineData("""{"state_default":100}""", """{}""", "to change settings 50 → 100")]
    [InlineData("""{"invite":50}""", """{}""", "to invite 0 → 50")]
    [InlineData("""{"kick":0}""", """{}""", "to kick 50 → 0")]
    [InlineData("""{"ban":100}""", """{}""", "to ban 50 → 100")]
    [InlineData("""{"redact":0}""", """{}""", "to remove messages 50 → 0")]
    [InlineData("""{"events":{"m.room.name":100}}""", """{"events":{"m.room.name":50}}""", "to send m.room.name 50 → 100")]
    [InlineData("""{"events":{"m.room.name":100}}""", """{}""", "to send m.room.name default → 100")]
    [InlineData("""{}""", """{"events":{"m.room.name":100}}""", "to send m.room.name 100 → default")]
    [InlineData("""{"notifications":{"room":0}}""", """{}""", "to notify the room 50 → 0")]
    [InlineData("""{"notifications":{"com.example":1}}""", """{}""", "to notify \"com.example\" default → 1")]
    [InlineData("""{"historical":1}""", """{}""", "\"historical\" default → 1")]
    [InlineData("""{"ban":"100"}""", """{"ban":" 50 "}""", "to ban 50 → 100")]
    [InlineData("""{"ban":100.0}""", """{"ban":1e400}""", "to ban 9223372036854775807 → 100")]
    [InlineData(
        """{"users":{"@c:x":50},"kick":100,"events":{"m.room.topic":0}}""", """{"users":{"@d:x":9}}""",
        "@c:x 0 → 50, to kick 50 → 100, to send m.room.topic default → 0, @d:x 9 → 0")]
    [InlineData("""{"users":{"@c:x":50,"@c:x":60}}""", """{}""", "@c:x 0 → 60")]
    public void Changed_levels_have_a_sentence(string content, string previous, string changes) =>
        Assert.Equal($"changed power levels: {changes}", StateLine.Of("m.room.power_levels", content, previous));

    [Theory]
    [InlineData("""{"users":{"@c:x":0},"ban":50,"events_default":0}""")]
    [InlineData("""{"notifications":{"room":50}}""")]
    public void An_explicit_default_is_no_change(string content) =>
        Assert.Equal("set the power levels again (nothing changed)", StateLine.Of("m.room.power_levels", content, "{}"));

    [Theory]
    [InlineData("""{}""", "set the power levels to their defaults")]
    [InlineData("""{"users":{},"historical":100}""", "set the power levels to their defaults")]
    [InlineData(
        """{"ban":50,"users":{"@c:x":100},"events":{"m.room.name":50},"users_default":0,"historical":100}""",
        "set the power levels: @c:x 100")]
    [InlineData(
        """{"ban":60,"users":{"@c:x":10,"@d:x":5},"events":{"m.room.name":40,"m.room.topic":50,"m.room.message":50},"users_default":10"""
            + ""","state_default":40}""",
        "set the power levels: @d:x 5, everyone else 10, to change settings 40, to ban 60, to send m.room.topic 50, "
            + "to send m.room.message 50")]
    public void Without_the_previous_levels_those_that_differ_from_the_defaults_are_listed(string content, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.power_levels", content));

    [Fact]
    public void The_first_levels_of_Synapse_have_a_sentence() =>
        Assert.Contains(
            "*** @alice:localhost set the power levels: @alice:localhost 100, to send m.room.encryption 100, "
                + "to send m.room.history_visibility 100, to send m.room.power_levels 100, to send m.room.server_acl 100, "
                + "to send m.room.tombstone 100",
            RecordedTraffic.Lines("alias_added_later"));

    [Theory]
    [InlineData("""{"users":{"to ban":50}}""", "\"to ban\" 0 → 50")]
    [InlineData("""{"users":{"@c:x 0 → 50, @d:x":1}}""", "@c:x%200%20→%2050%2C%20@d:x 0 → 1")]
    [InlineData("""{"events":{"x 0 → 50":1}}""", "to send \"x 0 → 50\" default → 1")]
    public void Names_cannot_imitate_a_level(string content, string changes) =>
        Assert.Equal($"changed power levels: {changes}", StateLine.Of("m.room.power_levels", content, "{}"));

    [Theory]
    [InlineData("""{"ban":"high"}""")]
    [InlineData("""{"ban":[]}""")]
    [InlineData("""{"users":[]}""")]
    [InlineData("""{"users":{"@c:x":{}}}""")]
    [InlineData("""{"events":{"m.room.name":true}}""")]
    [InlineData("""{"notifications":50}""")]
    [InlineData("5")]
    public void Content_of_the_wrong_type_is_rendered_by_the_fallback(string content) =>
        Assert.Equal(StateLine.General("m.room.power_levels", content), StateLine.Of("m.room.power_levels", content));
}
