"""What tests of Tallystick and of applications on it may use: public, and kept stable."""
