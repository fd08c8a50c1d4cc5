using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class SpaceAndPolicyLineTests
{
    private const string Spam = """{"entity":"@evil*:x","recommendation":"m.ban","reason":"spam"}""";

    [Theory]
    [InlineData("""{"via":["x"]}""", "", "added !child:x to the space")]
    [InlineData("""{"via":["x"]}""", "{}", "added !child:x to the space")]
    [InlineData("""{"via":["x"],"suggested":true,"order":"a"}""", "", "added !child:x to the space (suggested)")]
    [InlineData("""{"via":["x"],"order":"b"}""", """{"via":["x"]}""", "changed how !child:x is shown in the space")]
    [InlineData(
        """{"via":["x"],"suggested":true}""", """{"via":["x"],"suggested":true}""",
        "added !child:x to the space (suggested) again (nothing changed)")]
    [InlineData("""{}""", "{}", "removed !child:x from the space again (nothing changed)")]
    [InlineData("""{}""", """{"via":["x"]}""", "removed !child:x from the space")]
    [InlineData("""{"via":[]}""", "", "removed !child:x from the space")]
    public void Changes_of_a_space_have_sentences(string content, string previous, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.space.child", content, previous, "!child:x"));

    [Theory]
    [InlineData("""{"via":["x"]}""", "", "put the room into the space !space:x")]
    [InlineData("""{"via":["x"],"canonical":true}""", "", "put the room into the space !space:x (its main one)")]
    [InlineData(
        """{"via":["x"],"canonical":true}""", """{"via":["x"]}""", "changed how the room belongs to the space !space:x (its main one)")]
    [InlineData("""{"via":["x"]}""", """{"via":["x"]}""", "put the room into the space !space:x again (nothing changed)")]
    [InlineData("""{}""", "{}", "took the room out of the space !space:x again (nothing changed)")]
    [InlineData("""{}""", """{"via":["x"]}""", "took the room out of the space !space:x")]
    public void Changes_of_a_rooms_space_have_sentences(string content, string previous, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.space.parent", content, previous, "!space:x"));

    [Theory]
    [InlineData("m.policy.rule.user", "user")]
    [InlineData("m.policy.rule.room", "room")]
    [InlineData("m.policy.rule.server", "server")]
    [InlineData("m.room.rule.user", "user")]
    [InlineData("m.room.rule.room", "room")]
    [InlineData("m.room.rule.server", "server")]
    [InlineData("org.matrix.mjolnir.rule.user", "user")]
    [InlineData("org.matrix.mjolnir.rule.room", "room")]
    [InlineData("org.matrix.mjolnir.rule.server", "server")]
    public void A_policy_rule_is_rendered_under_each_of_its_types(string type, string kind)
    {
        Assert.Equal($"set the rule to ban the {kind} \"@evil*:x\": \"spam\"", StateLine.Of(type, Spam, stateKey: "k"));
        Assert.Equal($"removed the rule to ban the {kind} \"@evil*:x\"", StateLine.Of(type, "{}", Spam, "k"));
        Assert.Equal("removed the rule \"k\"", StateLine.Of(type, "{}", stateKey: "k"));
    }

    [Theory]
    [InlineData("""{"entity":"@a:x","recommendation":"org.matrix.mjolnir.ban"}""", "", "set the rule to ban the user \"@a:x\"")]
    [InlineData("""{"entity":"@a:x","recommendation":"m.takedown"}""", "", "set the rule of \"m.takedown\" for the user \"@a:x\"")]
    [InlineData(
        """{"entity":"@b:x","recommendation":"m.ban","reason":"spam"}""", Spam,
        "changed the rule to ban the user \"@evil*:x\" into one to ban the user \"@b:x\": \"spam\"")]
    [InlineData(
        """{"entity":"@evil*:x","recommendation":"m.ban","reason":"abuse"}""", Spam,
        "changed the reason of the rule to ban the user \"@evil*:x\": \"abuse\"")]
    [InlineData(Spam, Spam, "set the rule to ban the user \"@evil*:x\" again (nothing changed): \"spam\"")]
    public void A_policy_rule_shows_its_recommendation(string content, string previous, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.policy.rule.user", content, previous, "k"));

    [Theory]
    [InlineData("hashes")]
    [InlineData("org.matrix.msc4205.hashes")]
    public void A_policy_rule_about_a_hash_says_so(string key)
    {
        var hashed = $$$"""{"{{{key}}}":{"sha256":"LPJNul+wow4="},"recommendation":"m.ban","reason":"spam"}""";
        Assert.Equal(
            "set the rule to ban the user with the SHA-256 hash \"LPJNul+wow4=\": \"spam\"",
            StateLine.Of("m.policy.rule.user", hashed, stateKey: "k"));
        Assert.Equal(
            "removed the rule to ban the room with the SHA-256 hash \"LPJNul+wow4=\"",
            StateLine.Of("m.policy.rule.room", "{}", hashed, "k"));
        Assert.Equal(
            "changed the rule to ban the server with the SHA-256 hash \"LPJNul+wow4=\" into one to ban the server \"@evil*:x\": \"spam\"",
            StateLine.Of("m.policy.rule.server", Spam, hashed, "k"));
    }

    [Theory]
    [InlineData("""{"via":"policy.example","public_keys":{"ed25519":"k"}}""", "set the policy server to policy.example")]
    [InlineData("""{"via":"a server"}""", "set the policy server to \"a server\"")]
    [InlineData("""{}""", "removed the policy server")]
    public void Changes_of_the_policy_server_have_sentences(string content, string sentence)
    {
        Assert.Equal(sentence, StateLine.Of("m.room.policy", content));
        Assert.Equal(sentence, StateLine.Of("org.matrix.msc4284.policy", content));
    }

    [Theory]
    [InlineData("""{"name":"Pad","type":"m.custom","url":"https://x/\"pad\""}""", "", "set the widget \"Pad\": \"https://x/\\\"pad\\\"\"")]
    [InlineData("""{"type":"m.custom","url":"https://x"}""", "{}", "set the widget \"m.custom\": \"https://x\"")]
    [InlineData("""{"url":"https://x"}""", "", "set the widget \"w1\": \"https://x\"")]
    [InlineData(
        """{"name":"Pad","url":"https://y"}""", """{"name":"Pad","url":"https://x"}""", "changed the widget \"Pad\": \"https://y\"")]
    [InlineData(
        """{"name":"Pad","url":"https://x"}""", """{"name":"Pad","url":"https://x"}""",
        "set the widget \"Pad\" again (nothing changed): \"https://x\"")]
    [InlineData("""{}""", "{}", "removed the widget \"w1\" again (nothing changed)")]
    [InlineData("""{}""", """{"name":"Pad","url":"https://x"}""", "removed the widget \"Pad\"")]
    [InlineData("""{}""", "", "removed the widget \"w1\"")]
    public void Changes_of_a_widget_have_sentences(string content, string previous, string sentence)
    {
        Assert.Equal(sentence, StateLine.Of("im.vector.modular.widgets", content, previous, "w1"));
        Assert.Equal(sentence, StateLine.Of("m.widget", content, previous, "w1"));
    }

    [Theory]
    [InlineData(
        """{"pack":{"display_name":"Cats"},"images":{"a":{"url":"mxc://x/a"},"b":{"url":"mxc://x/b"}}}""", "",
        "set the image pack \"Cats\" (2 images)")]
    [InlineData("""{"images":{"a":{}}}""", """{"images":{}}""", "changed the image pack \"p\" (1 image)")]
    [InlineData("""{"images":{"a":{}}}""", """{"images":{"a":{}}}""", "set the image pack \"p\" again (nothing changed) (1 image)")]
    [InlineData("""{}""", """{"images":{},"pack":{"display_name":"Cats"}}""", "removed the image pack \"Cats\"")]
    public void Changes_of_an_image_pack_have_sentences(string content, string previous, string sentence)
    {
        Assert.Equal(sentence, StateLine.Of("m.room.image_pack", content, previous, "p"));
        Assert.Equal(sentence, StateLine.Of("im.ponies.room_emotes", content, previous, "p"));
    }

    [Fact]
    public void The_rooms_own_image_pack_needs_no_name()
    {
        Assert.Equal("set the image pack (1 image)", StateLine.Of("m.room.image_pack", """{"images":{"a":{}}}"""));
        Assert.Equal("removed the image pack", StateLine.Of("m.room.image_pack", "{}"));
    }

    [Theory]
    [InlineData("m.space.child", """{"via":"x"}""")]
    [InlineData("m.space.child", """{"via":[1]}""")]
    [InlineData("m.space.child", """{"via":["x"],"suggested":1}""")]
    [InlineData("m.space.child", """{"via":["x"],"order":1}""")]
    [InlineData("m.space.parent", """{"via":["x"],"canonical":"yes"}""")]
    [InlineData("m.space.parent", "null")]
    [InlineData("m.policy.rule.user", """{"entity":1,"recommendation":"m.ban"}""")]
    [InlineData("m.policy.rule.user", """{"entity":"@a:x","recommendation":"m.ban","reason":{}}""")]
    [InlineData("m.policy.rule.user", """{"recommendation":"m.ban"}""")]
    [InlineData("m.policy.rule.user", """{"entity":"@a:x"}""")]
    [InlineData("m.room.policy", """{"via":["x"]}""")]
    [InlineData("m.room.policy", "\"x\"")]
    [InlineData("m.widget", """{"name":1,"url":"https://x"}""")]
    [InlineData("m.widget", """{"name":"x"}""")]
    [InlineData("m.room.image_pack", """{"images":[]}""")]
    [InlineData("m.room.image_pack", """{"pack":{"display_name":1},"images":{}}""")]
    public void Content_of_the_wrong_type_is_rendered_by_the_fallback(string type, string content) =>
        Assert.Equal(StateLine.General(type, content), StateLine.Of(type, content));
}
