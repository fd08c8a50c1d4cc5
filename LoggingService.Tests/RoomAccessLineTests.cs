using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class RoomAccessLineTests
{
    [Theory]
    [InlineData("""{"join_rule":"public"}""", "anyone")]
    [InlineData("""{"join_rule":"invite"}""", "only invited people")]
    [InlineData("""{"join_rule":"invite","allow":[{"type":"m.room_membership","room_id":"!a:x"}]}""", "only invited people")]
    [InlineData("""{"join_rule":"knock"}""", "invited people (others may knock)")]
    [InlineData("""{"join_rule":"private"}""", "nobody")]
    [InlineData("""{"join_rule":"restricted"}""", "only invited people")]
    [InlineData(
        """{"join_rule":"restricted","allow":[{"type":"m.room_membership","room_id":"!a:x"}"""
            + """,{"type":"m.room_membership","room_id":"!b"}]}""",
        "invited people and members of !a:x, !b")]
    [InlineData(
        """{"join_rule":"restricted","allow":[{"type":"m.room_membership","room_id":"!a:x"},{"type":"com.example.\"song\"","room_id":"""
            + """5}]}""",
        "invited people and members of !a:x and others by the rule \"com.example.\\\"song\\\"\"")]
    [InlineData(
        """{"join_rule":"knock_restricted","allow":[{"type":"m.room_membership","room_id":"!a:x"}]}""",
        "invited people and members of !a:x (others may knock)")]
    [InlineData("""{"join_rule":"anyone → nobody"}""", "by the rule \"anyone → nobody\"")]
    public void Each_join_rule_has_a_description(string content, string who)
    {
        Assert.Equal($"set who may join: {who}", StateLine.Of("m.room.join_rules", content));
        Assert.Equal(
            $"changed who may join: by the rule \"x\" → {who}", StateLine.Of("m.room.join_rules", content, """{"join_rule":"x"}"""));
        Assert.Equal($"set who may join again (nothing changed): {who}", StateLine.Of("m.room.join_rules", content, content));
    }

    [Theory]
    [InlineData("world_readable", "anyone")]
    [InlineData("shared", "members")]
    [InlineData("invited", "members (from their invitation on)")]
    [InlineData("joined", "members (from their joining on)")]
    [InlineData("me", "by the rule \"me\"")]
    public void Each_history_visibility_has_a_description(string visibility, string who)
    {
        var content = $$"""{"history_visibility":"{{visibility}}"}""";
        Assert.Equal($"set who may read: {who}", StateLine.Of("m.room.history_visibility", content));
        Assert.Equal(
            $"changed who may read: by the rule \"x\" → {who}",
            StateLine.Of("m.room.history_visibility", content, """{"history_visibility":"x"}"""));
    }

    [Theory]
    [InlineData("can_join", "allowed guests to join")]
    [InlineData("forbidden", "forbade guests to join")]
    [InlineData("some", "set what guests may do to \"some\"")]
    public void Each_guest_access_has_a_sentence(string access, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.guest_access", $$"""{"guest_access":"{{access}}"}"""));

    [Fact]
    public void An_invitation_by_an_address_and_its_withdrawal_have_sentences()
    {
        const string Invitation = """{"display_name":"ca...@ex...","key_validity_url":"https://x","public_key":"k"}""";
        Assert.Equal(
            "invited \"ca...@ex...\" by e-mail or telephone number",
            StateLine.Of("m.room.third_party_invite", Invitation, stateKey: "token"));
        Assert.Equal("withdrew the invitation of \"ca...@ex...\"", StateLine.Of("m.room.third_party_invite", "{}", Invitation, "token"));
        Assert.Equal(
            "withdrew an invitation by e-mail or telephone number", StateLine.Of("m.room.third_party_invite", "{}", stateKey: "token"));
    }

    [Theory]
    [InlineData(
        """{"allow":["*"],"deny":["evil.example","*.bad.example"],"allow_ip_literals":false}""", "",
        "set which servers may take part: all but evil.example, *.bad.example; no IP addresses")]
    [InlineData("""{"allow":["*"]}""", "", "set which servers may take part: all")]
    [InlineData("""{"allow":["all"]}""", "", "set which servers may take part: \"all\"")]
    [InlineData("""{"allow":["*"],"deny":["none"]}""", "", "set which servers may take part: all but \"none\"")]
    [InlineData("""{"allow":["a.example","b.example"]}""", "", "set which servers may take part: a.example, b.example")]
    [InlineData("""{"deny":["evil.example"]}""", "", "set which servers may take part: none")]
    [InlineData("""{}""", "", "set which servers may take part: none")]
    [InlineData("""{"allow":["*"],"deny":["a.example; all"]}""", "", "set which servers may take part: all but \"a.example; all\"")]
    [InlineData(
        """{"allow":["*"],"deny":["b.example","c.example"]}""", """{"allow":["*"],"deny":["a.example"]}""",
        "changed which servers may take part: denied b.example, c.example; no longer denied a.example")]
    [InlineData(
        """{"allow":["a.example"],"allow_ip_literals":false}""", """{"allow":["*"]}""",
        "changed which servers may take part: allowed a.example; no longer allowed *; denied IP addresses")]
    [InlineData(
        """{"allow":["*"]}""", """{"allow":["*"],"allow_ip_literals":false}""",
        "changed which servers may take part: allowed IP addresses")]
    [InlineData(
        """{"allow":[]}""", """{"allow":["*"]}""", "changed which servers may take part: no longer allowed *; none may take part now")]
    [InlineData(
        """{"allow":["*"],"deny":["a.example"]}""", """{"deny":["a.example"],"allow":["*"],"allow_ip_literals":true}""",
        "set which servers may take part again (nothing changed)")]
    public void Changes_of_the_server_ACL_have_sentences(string content, string previous, string sentence) =>
        Assert.Equal(sentence, StateLine.Of("m.room.server_acl", content, previous));

    [Theory]
    [InlineData("m.room.join_rules", """{}""")]
    [InlineData("m.room.join_rules", """{"join_rule":1}""")]
    [InlineData("m.room.join_rules", """{"join_rule":"restricted","allow":{}}""")]
    [InlineData("m.room.join_rules", """{"join_rule":"restricted","allow":["!a:x"]}""")]
    [InlineData("m.room.join_rules", """{"join_rule":"restricted","allow":[{"type":"m.room_membership","room_id":1}]}""")]
    [InlineData("m.room.history_visibility", """{"history_visibility":["shared"]}""")]
    [InlineData("m.room.history_visibility", """{}""")]
    [InlineData("m.room.guest_access", """{"guest_access":true}""")]
    [InlineData("m.room.guest_access", """{}""")]
    [InlineData("m.room.third_party_invite", """{"display_name":1}""")]
    [InlineData("m.room.third_party_invite", """{"public_key":"k"}""")]
    [InlineData("m.room.server_acl", """{"allow":"*"}""")]
    [InlineData("m.room.server_acl", """{"allow":["*"],"deny":[1]}""")]
    [InlineData("m.room.server_acl", """{"allow":["*"],"allow_ip_literals":"no"}""")]
    [InlineData("m.room.server_acl", "[]")]
    public void Content_of_the_wrong_type_is_rendered_by_the_fallback(string type, string content) =>
        Assert.Equal(StateLine.General(type, content), StateLine.Of(type, content));
}
